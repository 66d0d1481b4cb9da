use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 3],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 3]>,
}

impl Layer {
    pub fn new(wx: Tensor<f64>, wh: Tensor<f64>, b: Tensor<f64>) -> Self {
        Layer { params: [wx, wh, b], kept: Vec::new(), steps: Vec::new() }
    }

    pub fn forward(&mut self, xs: &Tensor<f64>, h_prev: &Tensor<f64>) -> Tensor<f64> {
        let [wx, wh, b] = self.params.clone();
        let xs = xs.clone();
        let h_prev = h_prev.clone();
        self.steps.clear();
        let p = xs.matmul(&wx) + &b;
        let mut h_t = h_prev.clone();
        let mut hs = Vec::new();
        for step in 0..p.dims()[1] {
            let h_before = h_t.clone();
            let p_t = p.select(1, step);
            let f = (h_before.matmul(&wh.narrow(1, 0, 4)) + p_t.narrow(1, 0, 4)).sigmoid();
            let n = ((&f * &h_before).matmul(&wh.narrow(1, 4, 4)) + p_t.narrow(1, 4, 4)).tanh();
            h_t = &h_before + &f * (&n - &h_before);
            hs.push(h_t.clone());
            self.steps.push([h_before.clone(), f.clone(), n.clone()]);
        }
        let hs = Tensor::stack(&hs.iter().collect::<Vec<_>>(), 1);
        self.kept = vec![h_prev.clone(), p.clone(), xs.clone()];
        hs
    }

    /// Returns [dwx, dwh, db, dxs, dh_prev].
    pub fn backward(&self, dhs: &Tensor<f64>) -> [Tensor<f64>; 5] {
        let [wx, wh, b] = self.params.clone();
        let Ok([h_prev, p, xs]) = <[_; 3]>::try_from(self.kept.clone()) else { panic!("expected a forward pass before the backward pass") };
        let dhs = dhs.clone();
        let mut dh = Tensor::zeros(h_prev.shape());
        let mut dwh = Tensor::zeros(wh.shape());
        let mut dp = Tensor::zeros(p.shape());
        for step in (0..self.steps.len()).rev() {
            let [h_before, f, n] = self.steps[step].clone();
            let dhs_t = dhs.select(1, step);
            let dh_t = &dhs_t + &dh;
            let dn = &dh_t * &f;
            let dv17 = &dn * (1.0_f64 - n.square());
            let dv13 = dv17.matmul(&wh.narrow(1, 4, 4).t());
            let df = &dh_t * (&n - &h_before) + &dv13 * &h_before;
            let dv11 = &df * &f * (1.0_f64 - &f);
            dwh = &dwh + Tensor::concat(&[&h_before.t().matmul(&dv11), &(&f * &h_before).t().matmul(&dv17)], 1);
            dh = &dh_t - (&dh_t * &f) + &dv13 * &f + dv11.matmul(&wh.narrow(1, 0, 4).t());
            dp.add_at(1, step, &Tensor::concat(&[&dv11, &dv17], 1).unsqueeze(1));
        }
        let dh_prev = dh.clone();
        let db = dp.sum_axes(&[0, 1], false);
        let dwx = xs.permute(&[0, 2, 1]).matmul(&dp).sum_axes(&[0], false);
        let dxs = dp.matmul(&wx.t());
        [dwx, dwh, db, dxs, dh_prev]
    }
}
