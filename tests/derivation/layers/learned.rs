use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 5],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 6]>,
}

impl Layer {
    pub fn new(initial_h_prev: Tensor<f64>, wx: Tensor<f64>, wh: Tensor<f64>, b: Tensor<f64>, bh: Tensor<f64>) -> Self {
        Layer { params: [initial_h_prev, wx, wh, b, bh], kept: Vec::new(), steps: Vec::new() }
    }

    pub fn forward(&mut self, xs: &Tensor<f64>) -> Tensor<f64> {
        let [initial_h_prev, wx, wh, b, bh] = self.params.clone();
        let xs = xs.clone();
        self.steps.clear();
        let h_prev = initial_h_prev.broadcast_to([xs.dims()[0], 4]);
        let p = xs.matmul(&wx) + &b;
        let mut h_t = h_prev.clone();
        let mut hs = Vec::new();
        for step in 0..p.dims()[1] {
            let h_before = h_t.clone();
            let p_t = p.select(1, step);
            let th = h_before.matmul(&wh);
            let v15 = (th.narrow(1, 0, 8) + p_t.narrow(1, 0, 8)).sigmoid();
            let r = v15.narrow(1, 0, 4);
            let z = v15.narrow(1, 4, 4);
            let n = (&r * (th.narrow(1, 8, 4) + &bh) + p_t.narrow(1, 8, 4)).tanh();
            h_t = &z * (&h_before - &n) + &n;
            hs.push(h_t.clone());
            self.steps.push([h_before.clone(), th.clone(), v15.clone(), r.clone(), z.clone(), n.clone()]);
        }
        let hs = Tensor::stack(&hs.iter().collect::<Vec<_>>(), 1);
        self.kept = vec![h_prev.clone(), p.clone(), xs.clone()];
        hs
    }

    /// Returns [dinitial_h_prev, dwx, dwh, db, dbh, dxs].
    pub fn backward(&self, dhs: &Tensor<f64>) -> [Tensor<f64>; 6] {
        let [initial_h_prev, wx, wh, b, bh] = self.params.clone();
        let Ok([h_prev, p, xs]) = <[_; 3]>::try_from(self.kept.clone()) else { panic!("expected a forward pass before the backward pass") };
        let dhs = dhs.clone();
        let mut dh = Tensor::zeros(h_prev.shape());
        let mut dbh = Tensor::zeros(bh.shape());
        let mut dwh = Tensor::zeros(wh.shape());
        let mut dp = Tensor::zeros(p.shape());
        for step in (0..self.steps.len()).rev() {
            let [h_before, th, v15, r, z, n] = self.steps[step].clone();
            let dhs_t = dhs.select(1, step);
            let dh_t = &dhs_t + &dh;
            let dn = &dh_t - (&dh_t * &z);
            let dv22 = &dn * (1.0_f64 - n.square());
            let dz = &dh_t * (&h_before - &n);
            let dr = &dv22 * (th.narrow(1, 8, 4) + &bh);
            let dv15 = Tensor::concat(&[&dr, &dz], 1);
            let dv14 = &dv15 * &v15 * (1.0_f64 - &v15);
            let dth = Tensor::concat(&[&dv14, &(&dv22 * &r)], 1);
            dbh = &dbh + (&dv22 * &r).sum_axes(&[0], false);
            dwh = &dwh + h_before.t().matmul(&dth);
            dh = &dh_t * &z + dth.matmul(&wh.t());
            dp.add_at(1, step, &Tensor::concat(&[&dv14, &dv22], 1).unsqueeze(1));
        }
        let dh_prev = dh.clone();
        let db = dp.sum_axes(&[0, 1], false);
        let dwx = xs.permute(&[0, 2, 1]).matmul(&dp).sum_axes(&[0], false);
        let dinitial_h_prev = dh_prev.sum_axes(&[0], true);
        let dxs = dp.matmul(&wx.t());
        [dinitial_h_prev, dwx, dwh, db, dbh, dxs]
    }
}
