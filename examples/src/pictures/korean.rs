//! The words of the first four pictures in Korean, for the pages in Korean.

/// The pictures of those pages.
pub(super) const PAGES: [&str; 4] = ["1-neuron.svg", "2-step.svg", "3-two-uses.svg", "4-time.svg"];

const WORDS: [(&str, &str); 14] = [
    ("A neuron as a chain of operations", "연산의 사슬로 그린 뉴런"),
    (
        "w times x, plus b, through tanh, gives h. Values stand above the boxes, derivatives of h below them; solid arrows run forwards, dashed arrows backwards.",
        "w에 x를 곱하고 b를 더해 tanh를 지나면 h가 됩니다. 상자 위에는 값, 아래에는 h의 미분이 있습니다. 실선 화살표는 순전파, 점선 화살표는 역전파입니다.",
    ),
    ("above: value", "위: 값"),
    ("below: derivative of h", "아래: h의 미분"),
    (
        "The four products of a recurrent step's backward pass",
        "RNN의 한 시각의 역전파에 나오는 행렬 곱 네 개",
    ),
    (
        "dWh is h_prev transposed times dt, dh_prev is dt times Wh transposed, dWx is x transposed times dt, dx is dt times Wx transposed. Each matrix is a rectangle; the inner sides of each product are equal.",
        "dWh는 h_prev의 전치와 dt의 곱, dh_prev는 dt와 Wh의 전치의 곱, dWx는 x의 전치와 dt의 곱, dx는 dt와 Wx의 전치의 곱입니다. 행렬은 저마다 직사각형이며, 곱하는 두 행렬의 안쪽 변은 길이가 같습니다.",
    ),
    ("Two uses of one weight", "두 번 쓰인 가중치 하나"),
    (
        "The weight w goes into two products, with a and with c, whose sum is y. Backwards, dy times a and dy times c arrive at w and are added.",
        "가중치 w는 a와의 곱과 c와의 곱에 쓰이고, 두 곱의 합이 y입니다. 역전파에서는 dy 곱하기 a와 dy 곱하기 c가 w에 이르러 더해집니다.",
    ),
    ("Cotangents flow from the last step to the first", "기울기는 마지막 시각에서 첫 시각으로 흐른다"),
    (
        "Three steps of a recurrent network. Each state gets a cotangent from above and one from the next step, adds them, and sends one to the step before and one to the shared weights, which add up over the steps.",
        "RNN의 세 시각입니다. 은닉 상태마다 위에서 온 기울기와 다음 시각에서 온 기울기를 더하고, 앞 시각과 함께 쓰는 가중치로 하나씩 보냅니다. 가중치의 기울기는 모든 시각에 걸쳐 더해집니다.",
    ),
    ("Wh, used by every step", "Wh: 모든 시각이 함께 사용"),
    ("step 0", "시각 0"),
    ("step 1", "시각 1"),
    ("step 2", "시각 2"),
];

/// A picture with its words in Korean.
pub(super) fn translated(picture: &str) -> String {
    let picture = picture.replace("<svg ", "<svg lang=\"ko\" ");
    WORDS.iter().fold(picture, |picture, (english, korean)| {
        picture.replace(&format!(">{english}<"), &format!(">{korean}<"))
    })
}
