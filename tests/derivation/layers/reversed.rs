use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 3],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 2]>,
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
        for step in (0..p.dims()[1]).rev() {
            let h_before = h_t.clone();
            let p_t = p.select(1, step);
            let t = h_before.matmul(&wh) + &p_t;
            h_t = t.tanh();
            hs.push(h_t.clone());
            self.steps.push([h_before.clone(), h_t.clone()]);
        }
        hs.reverse();
        self.steps.reverse();
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
        for step in 0..self.steps.len() {
            let [h_before, h_t] = self.steps[step].clone();
            let dhs_t = dhs.select(1, step);
            let dh_t = &dhs_t + &dh;
            let dt = &dh_t * (1.0_f64 - h_t.square());
            dwh = &dwh + h_before.t().matmul(&dt);
            dh = dt.matmul(&wh.t());
            dp.add_at(1, step, &dt.unsqueeze(1));
        }
        let dh_prev = dh.clone();
        let db = dp.sum_axes(&[0, 1], false);
        let dwx = xs.permute(&[0, 2, 1]).matmul(&dp).sum_axes(&[0], false);
        let dxs = dp.matmul(&wx.t());
        [dwx, dwh, db, dxs, dh_prev]
    }
}
