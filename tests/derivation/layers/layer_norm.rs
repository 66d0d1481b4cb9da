use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 8],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 8]>,
}

impl Layer {
    pub fn new(wx: Tensor<f64>, wh: Tensor<f64>, layer_norm_gain: Tensor<f64>, layer_norm_b: Tensor<f64>, layer_norm_gain_: Tensor<f64>, layer_norm_b_: Tensor<f64>, layer_norm_gain_2: Tensor<f64>, layer_norm_b_2: Tensor<f64>) -> Self {
        Layer { params: [wx, wh, layer_norm_gain, layer_norm_b, layer_norm_gain_, layer_norm_b_, layer_norm_gain_2, layer_norm_b_2], kept: Vec::new(), steps: Vec::new() }
    }

    pub fn forward(&mut self, xs: &Tensor<f64>, h_prev: &Tensor<f64>, c_prev: &Tensor<f64>) -> Tensor<f64> {
        let [wx, wh, layer_norm_gain, layer_norm_b, layer_norm_gain_, layer_norm_b_, layer_norm_gain_2, layer_norm_b_2] = self.params.clone();
        let xs = xs.clone();
        let h_prev = h_prev.clone();
        let c_prev = c_prev.clone();
        self.steps.clear();
        let v4 = xs.matmul(&wx);
        let v8 = &v4 - v4.sum_axes(&[2], true) / 16.0_f64;
        let p = &v8 / (v8.square().sum_axes(&[2], true) / 16.0_f64 + 1e-5_f64).sqrt() * &layer_norm_gain + &layer_norm_b;
        let mut c_t = c_prev.clone();
        let mut h_t = h_prev.clone();
        let mut hs = Vec::new();
        for step in 0..p.dims()[1] {
            let c_before = c_t.clone();
            let h_before = h_t.clone();
            let p_t = p.select(1, step);
            let v22 = h_before.matmul(&wh);
            let v26 = &v22 - v22.sum_axes(&[1], true) / 16.0_f64;
            let t = &v26 / (v26.square().sum_axes(&[1], true) / 16.0_f64 + 1e-5_f64).sqrt() * &layer_norm_gain_ + &layer_norm_b_ + &p_t;
            let f = t.narrow(1, 0, 4).sigmoid();
            let g = t.narrow(1, 4, 4).tanh();
            let i = t.narrow(1, 8, 4).sigmoid();
            let o = t.narrow(1, 12, 4).sigmoid();
            c_t = &f * &c_before + &g * &i;
            let v53 = &c_t - c_t.sum_axes(&[1], true) / 4.0_f64;
            h_t = &o * (&v53 / (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt() * &layer_norm_gain_2 + &layer_norm_b_2).tanh();
            hs.push(h_t.clone());
            self.steps.push([c_before.clone(), h_before.clone(), v26.clone(), f.clone(), g.clone(), i.clone(), o.clone(), v53.clone()]);
        }
        let hs = Tensor::stack(&hs.iter().collect::<Vec<_>>(), 1);
        self.kept = vec![c_prev.clone(), h_prev.clone(), p.clone(), v8.clone(), xs.clone()];
        hs
    }

    /// Returns [dwx, dwh, dlayer_norm_gain, dlayer_norm_b, dlayer_norm_gain_, dlayer_norm_b_, dlayer_norm_gain_2, dlayer_norm_b_2, dxs, dh_prev, dc_prev].
    pub fn backward(&self, dhs: &Tensor<f64>) -> [Tensor<f64>; 11] {
        let [wx, wh, layer_norm_gain, layer_norm_b, layer_norm_gain_, layer_norm_b_, layer_norm_gain_2, layer_norm_b_2] = self.params.clone();
        let Ok([c_prev, h_prev, p, v8, xs]) = <[_; 5]>::try_from(self.kept.clone()) else { panic!("expected a forward pass before the backward pass") };
        let dhs = dhs.clone();
        let mut dc = Tensor::zeros(c_prev.shape());
        let mut dh = Tensor::zeros(h_prev.shape());
        let mut dlayer_norm_b_2 = Tensor::zeros(layer_norm_b_2.shape());
        let mut dlayer_norm_gain_2 = Tensor::zeros(layer_norm_gain_2.shape());
        let mut dlayer_norm_b_ = Tensor::zeros(layer_norm_b_.shape());
        let mut dlayer_norm_gain_ = Tensor::zeros(layer_norm_gain_.shape());
        let mut dwh = Tensor::zeros(wh.shape());
        let mut dp = Tensor::zeros(p.shape());
        for step in (0..self.steps.len()).rev() {
            let [c_before, h_before, v26, f, g, i, o, v53] = self.steps[step].clone();
            let dhs_t = dhs.select(1, step);
            let dh_t = &dhs_t + &dh;
            let dv64 = &dh_t * &o * (1.0_f64 - (&v53 / (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt() * &layer_norm_gain_2 + &layer_norm_b_2).tanh().square());
            let dv55 = (-(&dv64 * &layer_norm_gain_2 * (&v53 / (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt()) / (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt())).sum_axes(&[1], true) / (2.0_f64 * (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt()) / 4.0_f64;
            let dv53 = &dv64 * &layer_norm_gain_2 / (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt() + &dv55 * (2.0_f64 * &v53);
            let dc_t = &dc + &dv53 + (-&dv53).sum_axes(&[1], true) / 4.0_f64;
            let do_ = &dh_t * (&v53 / (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt() * &layer_norm_gain_2 + &layer_norm_b_2).tanh();
            let di = &dc_t * &g;
            let dg = &dc_t * &i;
            let df = &dc_t * &c_before;
            let dt = Tensor::concat(&[&(&df * &f * (1.0_f64 - &f)), &(&dg * (1.0_f64 - g.square())), &(&di * &i * (1.0_f64 - &i)), &(&do_ * &o * (1.0_f64 - &o))], 1);
            let dv28 = (-(&dt * &layer_norm_gain_ * (&v26 / (v26.square().sum_axes(&[1], true) / 16.0_f64 + 1e-5_f64).sqrt()) / (v26.square().sum_axes(&[1], true) / 16.0_f64 + 1e-5_f64).sqrt())).sum_axes(&[1], true) / (2.0_f64 * (v26.square().sum_axes(&[1], true) / 16.0_f64 + 1e-5_f64).sqrt()) / 16.0_f64;
            let dv26 = &dt * &layer_norm_gain_ / (v26.square().sum_axes(&[1], true) / 16.0_f64 + 1e-5_f64).sqrt() + &dv28 * (2.0_f64 * &v26);
            let dv22 = &dv26 + (-&dv26).sum_axes(&[1], true) / 16.0_f64;
            dlayer_norm_b_2 = &dlayer_norm_b_2 + dv64.sum_axes(&[0], false);
            dlayer_norm_gain_2 = &dlayer_norm_gain_2 + (&dv64 * (&v53 / (v53.square().sum_axes(&[1], true) / 4.0_f64 + 1e-5_f64).sqrt())).sum_axes(&[0], false);
            dlayer_norm_b_ = &dlayer_norm_b_ + dt.sum_axes(&[0], false);
            dlayer_norm_gain_ = &dlayer_norm_gain_ + (&dt * (&v26 / (v26.square().sum_axes(&[1], true) / 16.0_f64 + 1e-5_f64).sqrt())).sum_axes(&[0], false);
            dwh = &dwh + h_before.t().matmul(&dv22);
            dh = dv22.matmul(&wh.t());
            dc = &dc_t * &f;
            dp.add_at(1, step, &dt.unsqueeze(1));
        }
        let dc_prev = dc.clone();
        let dh_prev = dh.clone();
        let dlayer_norm_b = dp.sum_axes(&[0, 1], false);
        let dlayer_norm_gain = (&dp * (&v8 / (v8.square().sum_axes(&[2], true) / 16.0_f64 + 1e-5_f64).sqrt())).sum_axes(&[0, 1], false);
        let dv10 = (-(&dp * &layer_norm_gain * (&v8 / (v8.square().sum_axes(&[2], true) / 16.0_f64 + 1e-5_f64).sqrt()) / (v8.square().sum_axes(&[2], true) / 16.0_f64 + 1e-5_f64).sqrt())).sum_axes(&[2], true) / (2.0_f64 * (v8.square().sum_axes(&[2], true) / 16.0_f64 + 1e-5_f64).sqrt()) / 16.0_f64;
        let dv8 = &dp * &layer_norm_gain / (v8.square().sum_axes(&[2], true) / 16.0_f64 + 1e-5_f64).sqrt() + &dv10 * (2.0_f64 * &v8);
        let dv4 = &dv8 + (-&dv8).sum_axes(&[2], true) / 16.0_f64;
        let dwx = xs.permute(&[0, 2, 1]).matmul(&dv4).sum_axes(&[0], false);
        let dxs = dv4.matmul(&wx.t());
        [dwx, dwh, dlayer_norm_gain, dlayer_norm_b, dlayer_norm_gain_, dlayer_norm_b_, dlayer_norm_gain_2, dlayer_norm_b_2, dxs, dh_prev, dc_prev]
    }
}
