use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 3],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 3]>,
}

impl Layer {
    pub fn new(wh: Tensor<f64>, wx: Tensor<f64>, b: Tensor<f64>) -> Self {
        Layer { params: [wh, wx, b], kept: Vec::new(), steps: Vec::new() }
    }

    pub fn forward(&mut self, xs: &Tensor<f64>, h_prev: &Tensor<f64>) -> [Tensor<f64>; 2] {
        let [wh, wx, b] = self.params.clone();
        let xs = xs.clone();
        let h_prev = h_prev.clone();
        self.steps.clear();
        let mut h_t = h_prev.clone();
        let mut hs = Vec::new();
        for step in 0..xs.dims()[1] {
            let h_before = h_t.clone();
            let x_t = xs.select(1, step);
            let t = h_before.matmul(&wh) + x_t.matmul(&wx) + &b;
            h_t = t.tanh();
            hs.push(h_t.clone());
            self.steps.push([h_before.clone(), x_t.clone(), h_t.clone()]);
        }
        let hs = Tensor::stack(&hs.iter().collect::<Vec<_>>(), 1);
        let h_4 = h_t.clone();
        self.kept = vec![xs.clone()];
        [hs, h_4]
    }

    /// Returns [dwh, dwx, db, dxs, dh_prev].
    pub fn backward(&self, dhs: &Tensor<f64>, dh_4: &Tensor<f64>) -> [Tensor<f64>; 5] {
        let [wh, wx, b] = self.params.clone();
        let Ok([xs]) = <[_; 1]>::try_from(self.kept.clone()) else { panic!("expected a forward pass before the backward pass") };
        let dhs = dhs.clone();
        let dh_4 = dh_4.clone();
        let mut dh = dh_4.clone();
        let mut db = Tensor::zeros(b.shape());
        let mut dwx = Tensor::zeros(wx.shape());
        let mut dwh = Tensor::zeros(wh.shape());
        let mut dxs = Tensor::zeros(xs.shape());
        for step in (0..self.steps.len()).rev() {
            let [h_before, x_t, h_t] = self.steps[step].clone();
            let dhs_t = dhs.select(1, step);
            let dh_t = &dhs_t + &dh;
            let dt = &dh_t * (1.0_f64 - h_t.square());
            db = &db + dt.sum_axes(&[0], false);
            dwx = &dwx + x_t.t().matmul(&dt);
            dwh = &dwh + h_before.t().matmul(&dt);
            dh = dt.matmul(&wh.t());
            dxs.add_at(1, step, &dt.matmul(&wx.t()).unsqueeze(1));
        }
        let dh_prev = dh.clone();
        [dwh, dwx, db, dxs, dh_prev]
    }
}
