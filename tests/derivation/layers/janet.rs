use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 3],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 3]>,
}

impl Layer {
    pub fn new(w: Tensor<f64>, u: Tensor<f64>, b: Tensor<f64>) -> Self {
        Layer { params: [w, u, b], kept: Vec::new(), steps: Vec::new() }
    }

    pub fn forward(&mut self, xs: &Tensor<f64>, h_prev: &Tensor<f64>) -> Tensor<f64> {
        let [w, u, b] = self.params.clone();
        let xs = xs.clone();
        let h_prev = h_prev.clone();
        self.steps.clear();
        let p = xs.matmul(&w) + &b;
        let mut h_t = h_prev.clone();
        let mut hs = Vec::new();
        for step in 0..p.dims()[1] {
            let h_before = h_t.clone();
            let p_t = p.select(1, step);
            let v9 = &p_t + h_before.matmul(&u);
            let v10 = v9.narrow(1, 0, 4);
            h_t = v10.sigmoid() * &h_before + (1.0_f64 - &v10).sigmoid() * v9.narrow(1, 4, 4).tanh();
            hs.push(h_t.clone());
            self.steps.push([h_before.clone(), v9.clone(), v10.clone()]);
        }
        let hs = Tensor::stack(&hs.iter().collect::<Vec<_>>(), 1);
        self.kept = vec![h_prev.clone(), p.clone(), xs.clone()];
        hs
    }

    /// Returns [dw, du, db, dxs, dh_prev].
    pub fn backward(&self, dhs: &Tensor<f64>) -> [Tensor<f64>; 5] {
        let [w, u, b] = self.params.clone();
        let Ok([h_prev, p, xs]) = <[_; 3]>::try_from(self.kept.clone()) else { panic!("expected a forward pass before the backward pass") };
        let dhs = dhs.clone();
        let mut dh = Tensor::zeros(h_prev.shape());
        let mut du = Tensor::zeros(u.shape());
        let mut dp = Tensor::zeros(p.shape());
        for step in (0..self.steps.len()).rev() {
            let [h_before, v9, v10] = self.steps[step].clone();
            let dhs_t = dhs.select(1, step);
            let dh_t = &dhs_t + &dh;
            let dv10 = -(&dh_t * v9.narrow(1, 4, 4).tanh() * (1.0_f64 - &v10).sigmoid() * (1.0_f64 - (1.0_f64 - &v10).sigmoid())) + &dh_t * &h_before * v10.sigmoid() * (1.0_f64 - v10.sigmoid());
            let dv9 = Tensor::concat(&[&dv10, &(&dh_t * (1.0_f64 - &v10).sigmoid() * (1.0_f64 - v9.narrow(1, 4, 4).tanh().square()))], 1);
            du = &du + h_before.t().matmul(&dv9);
            dh = &dh_t * v10.sigmoid() + dv9.matmul(&u.t());
            dp.add_at(1, step, &dv9.unsqueeze(1));
        }
        let dh_prev = dh.clone();
        let db = dp.sum_axes(&[0, 1], false);
        let dw = xs.permute(&[0, 2, 1]).matmul(&dp).sum_axes(&[0], false);
        let dxs = dp.matmul(&w.t());
        [dw, du, db, dxs, dh_prev]
    }
}
