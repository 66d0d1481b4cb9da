//! The number formats: constants of their arithmetic, and polynomials that are as exact as they are.

/// Constants of a number format.
///
/// The coefficients of each polynomial, from the constant one on, make the largest relative error of the function that it
/// serves as small as it can be.
///
/// # Source
/// C. Lawson, *Contributions to the theory of linear least maximum approximations* (1961): least squares, weighted by the errors
/// of the round before until they are even. Computed with 40 digits.
pub(crate) trait Format: Copy {
    /// `ln 2` in two parts, the first with enough trailing zeros that its products with exponents are exact.
    const LN_2: [f64; 2];
    /// Beyond these, `exp` is infinite or zero.
    const EXP_RANGE: [f64; 2];
    /// The smallest normal number, and `2ᵏ` and `k` that bring any subnormal number above it.
    const SMALLEST_NORMAL: f64;
    const LIFT: [f64; 2];
    /// `(eʳ - 1 - r) / r²` in `r`, for `|r| <= ln 2 / 2`.
    const EXP: &[f64];
    /// `(tanh(x) / x - 1) / x²` in `x²`, where `|tanh x| <= 1/2`.
    const TANH: &[f64];
    /// `(2 artanh(s) / s - 2) / s²` in `s²`, for `(1 + s) / (1 - s)` from `√½` to `√2`.
    const LN: &[f64];
}

impl Format for f32 {
    const LN_2: [f64; 2] = [0.693_359_375, -2.121_944_400_546_905_8e-4];
    const EXP_RANGE: [f64; 2] = [-105.0, 89.0];
    const SMALLEST_NORMAL: f64 = f32::MIN_POSITIVE as f64;
    const LIFT: [f64; 2] = [16_777_216.0, 24.0];
    // Within 2⁻³⁴, 2⁻²⁹ and 2⁻³⁷.
    const EXP: &[f64] = &[
        0.500_000_006_770_423_6,
        0.166_666_658_638_031_9,
        0.041_666_294_869_317_95,
        0.008_333_497_075_456_86,
        0.001_394_466_533_678_542_4,
        0.000_197_903_567_069_259_48,
    ];
    const TANH: &[f64] = &[
        -0.333_333_177_152_791_6,
        0.133_325_919_623_042_08,
        -0.053_852_973_774_422_08,
        0.021_074_615_821_686_828,
        -0.006_278_663_930_081_499,
    ];
    const LN: &[f64] = &[
        0.666_666_656_479_249_4,
        0.400_003_347_098_247_03,
        0.285_373_350_980_894_6,
        0.235_817_106_031_562_95,
    ];
}

impl Format for f64 {
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    const EXP_RANGE: [f64; 2] = [-746.0, 710.0];
    const SMALLEST_NORMAL: f64 = f64::MIN_POSITIVE;
    const LIFT: [f64; 2] = [18_014_398_509_481_984.0, 54.0];
    // Within 2⁻⁵⁷, 2⁻⁶⁰ and 2⁻⁵⁹.
    const EXP: &[f64] = &[
        0.500_000_000_000_001_1,
        0.166_666_666_666_664_13,
        0.041_666_666_666_530_16,
        0.008_333_333_333_494_463,
        0.001_388_888_894_362_984,
        0.000_198_412_695_065_711_07,
        2.480_149_309_914_401e-5,
        2.755_758_638_258_107_5e-6,
        2.763_024_830_872_524e-7,
        2.500_005_834_905_014_5e-8,
    ];
    const TANH: &[f64] = &[
        -0.333_333_333_333_333,
        0.133_333_333_333_267_55,
        -0.053_968_253_963_840_73,
        0.021_869_488_388_219_987,
        -0.008_863_232_641_343_154,
        0.003_592_092_445_317_337,
        -0.001_455_545_593_544_172_5,
        0.000_588_456_105_931_334_3,
        -0.000_233_411_930_358_923_63,
        8.336_111_404_182_286e-5,
        -1.952_296_661_815_491e-5,
    ];
    const LN: &[f64] = &[
        0.666_666_666_666_673_4,
        0.399_999_999_994_158_75,
        0.285_714_287_421_358_1,
        0.222_221_985_974_840_05,
        0.181_835_631_437_065_08,
        0.153_140_787_770_844_72,
        0.147_956_870_483_048_92,
    ];
}
