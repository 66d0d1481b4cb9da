use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 6],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 7]>,
}

impl Layer {
    pub fn new(wx: Tensor<f64>, wh: Tensor<f64>, b: Tensor<f64>, pf: Tensor<f64>, pi: Tensor<f64>, po: Tensor<f64>) -> Self {
        Layer { params: [wx, wh, b, pf, pi, po], kept: Vec::new(), steps: Vec::new() }
    }

    pub fn forward(&mut self, xs: &Tensor<f64>, h_prev: &Tensor<f64>, c_prev: &Tensor<f64>) -> Tensor<f64> {
        let [wx, wh, b, pf, pi, po] = self.params.clone();
        let xs = xs.clone();
        let h_prev = h_prev.clone();
        let c_prev = c_prev.clone();
        self.steps.clear();
        let p = xs.matmul(&wx) + &b;
        let mut c_t = c_prev.clone();
        let mut h_t = h_prev.clone();
        let mut hs = Vec::new();
        for step in 0..p.dims()[1] {
            let c_before = c_t.clone();
            let h_before = h_t.clone();
            let p_t = p.select(1, step);
            let t = h_before.matmul(&wh) + &p_t;
            let f = (t.narrow(1, 0, 4) + &c_before * &pf).sigmoid();
            let g = t.narrow(1, 4, 4).tanh();
            let i = (t.narrow(1, 8, 4) + &c_before * &pi).sigmoid();
            c_t = &f * &c_before + &g * &i;
            let o = (t.narrow(1, 12, 4) + &c_t * &po).sigmoid();
            h_t = &o * c_t.tanh();
            hs.push(h_t.clone());
            self.steps.push([c_before.clone(), h_before.clone(), f.clone(), g.clone(), i.clone(), c_t.clone(), o.clone()]);
        }
        let hs = Tensor::stack(&hs.iter().collect::<Vec<_>>(), 1);
        self.kept = vec![c_prev.clone(), h_prev.clone(), p.clone(), xs.clone()];
        hs
    }

    /// Returns [dwx, dwh, db, dpf, dpi, dpo, dxs, dh_prev, dc_prev].
    pub fn backward(&self, dhs: &Tensor<f64>) -> [Tensor<f64>; 9] {
        let [wx, wh, b, pf, pi, po] = self.params.clone();
        let Ok([c_prev, h_prev, p, xs]) = <[_; 4]>::try_from(self.kept.clone()) else { panic!("expected a forward pass before the backward pass") };
        let dhs = dhs.clone();
        let mut dc = Tensor::zeros(c_prev.shape());
        let mut dh = Tensor::zeros(h_prev.shape());
        let mut dpo = Tensor::zeros(po.shape());
        let mut dpi = Tensor::zeros(pi.shape());
        let mut dpf = Tensor::zeros(pf.shape());
        let mut dwh = Tensor::zeros(wh.shape());
        let mut dp = Tensor::zeros(p.shape());
        for step in (0..self.steps.len()).rev() {
            let [c_before, h_before, f, g, i, c_t, o] = self.steps[step].clone();
            let dhs_t = dhs.select(1, step);
            let dh_t = &dhs_t + &dh;
            let do_ = &dh_t * c_t.tanh();
            let dv29 = &do_ * &o * (1.0_f64 - &o);
            let dc_t = &dc + &dh_t * &o * (1.0_f64 - c_t.tanh().square()) + &dv29 * &po;
            let di = &dc_t * &g;
            let dv22 = &di * &i * (1.0_f64 - &i);
            let dg = &dc_t * &i;
            let df = &dc_t * &c_before;
            let dv17 = &df * &f * (1.0_f64 - &f);
            let dt = Tensor::concat(&[&dv17, &(&dg * (1.0_f64 - g.square())), &dv22, &dv29], 1);
            dpo = &dpo + (&dv29 * &c_t).sum_axes(&[0], false);
            dpi = &dpi + (&dv22 * &c_before).sum_axes(&[0], false);
            dpf = &dpf + (&dv17 * &c_before).sum_axes(&[0], false);
            dwh = &dwh + h_before.t().matmul(&dt);
            dh = dt.matmul(&wh.t());
            dc = &dc_t * &f + &dv22 * &pi + &dv17 * &pf;
            dp.add_at(1, step, &dt.unsqueeze(1));
        }
        let dc_prev = dc.clone();
        let dh_prev = dh.clone();
        let db = dp.sum_axes(&[0, 1], false);
        let dwx = xs.permute(&[0, 2, 1]).matmul(&dp).sum_axes(&[0], false);
        let dxs = dp.matmul(&wx.t());
        [dwx, dwh, db, dpf, dpi, dpo, dxs, dh_prev, dc_prev]
    }
}
