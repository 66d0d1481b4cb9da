use retrograde::tensor::Tensor;

pub struct Layer {
    params: [Tensor<f64>; 1],
    kept: Vec<Tensor<f64>>,
    steps: Vec<[Tensor<f64>; 3]>,
}

impl Layer {
    pub fn new(wh: Tensor<f64>) -> Self {
        Layer { params: [wh], kept: Vec::new(), steps: Vec::new() }
    }

    pub fn forward(&mut self, h_prev: &Tensor<f64>, s_prev: &Tensor<f64>, x: &[Tensor<f64>], keep: &[Tensor<f64>]) -> Tensor<f64> {
        let [wh] = self.params.clone();
        let h_prev = h_prev.clone();
        let s_prev = s_prev.clone();
        self.steps.clear();
        let mut h_t = h_prev.clone();
        let mut s_t = s_prev.clone();
        for step in 0..x.len() {
            let h_before = h_t.clone();
            let s_before = s_t.clone();
            let x_t = x[step].clone();
            let keep_t = keep[step].clone();
            h_t = ((&h_before * &keep_t).matmul(&wh) + &x_t).tanh();
            s_t = &s_before + h_t.square();
            self.steps.push([h_before.clone(), keep_t.clone(), h_t.clone()]);
        }
        let s_4 = s_t.clone();
        self.kept = vec![h_prev.clone()];
        s_4
    }

    /// Returns [dwh, dh_prev, ds_prev, dx].
    pub fn backward(&self, ds_4: &Tensor<f64>) -> [Tensor<f64>; 4] {
        let [wh] = self.params.clone();
        let Ok([h_prev]) = <[_; 1]>::try_from(self.kept.clone()) else { panic!("expected a forward pass before the backward pass") };
        let ds_4 = ds_4.clone();
        let mut dh = Tensor::zeros(h_prev.shape());
        let mut ds = ds_4.clone();
        let mut dwh = Tensor::zeros(wh.shape());
        let mut dx = Vec::new();
        for step in (0..self.steps.len()).rev() {
            let [h_before, keep_t, h_t] = self.steps[step].clone();
            let ds_t = ds.clone();
            let dh_t = &dh + &ds_t * (2.0_f64 * &h_t);
            let dv7 = &dh_t * (1.0_f64 - h_t.square());
            dwh = &dwh + (&h_before * &keep_t).t().matmul(&dv7);
            ds = ds_t.clone();
            dh = dv7.matmul(&wh.t()) * &keep_t;
            let dx_t = dv7.clone();
            dx.push(dx_t.clone());
        }
        dx.reverse();
        let dh_prev = dh.clone();
        let ds_prev = ds.clone();
        let dx = Tensor::stack(&dx.iter().collect::<Vec<_>>(), 0);
        [dwh, dh_prev, ds_prev, dx]
    }
}
