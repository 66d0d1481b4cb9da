//! RNN, LSTM and GRU as one would plan them by hand, to see what is left to gain: the library's kernels on plain slices, the
//! explicit formulas, buffers that are made once, no tape, and nothing computed of an initial state of 0.

use std::time::Instant;

use retrograde_tensor::{Matrix, MatrixMut, Scalar, Tensor};

use crate::layer::Sizes;

/// The weights of a layer.
pub(crate) struct Weights {
    pub(crate) wx: Tensor<f32>, // [D, GH], G gates
    pub(crate) wh: Tensor<f32>, // [H, GH]
    pub(crate) b: Tensor<f32>,  // [GH]
    /// Of a GRU.
    pub(crate) bh: Option<Tensor<f32>>, // [H]
}

/// A layer's passes, and all that they read and write.
pub(crate) struct Plan {
    sizes: Sizes,
    gates: Gates,
    weights: Weights,
    zeros: Vec<f32>, // [H]
    xs: Vec<f32>,    // [N, T, D]
    dhs: Vec<f32>,   // [N, T, H]
    /// The gates, first before their activation functions, then after.
    ts: Vec<f32>, // [N, T, GH]
    /// Of a GRU: the products with the state, with `bh`.
    qs: Vec<f32>, // [N, T, GH]
    hs: Vec<f32>,    // [N, T, H]
    /// Of an LSTM: the cells, and their tanh.
    cs: Vec<f32>, // [N, T, H]
    tanh_cs: Vec<f32>, // [N, T, H]
    /// Of the state after and before the current step; of an LSTM, of the cell.
    dh: Vec<f32>, // [N, H]
    dc: Vec<f32>,    // [N, H]
    dts: Vec<f32>,   // [N, T, GH]
    /// Of a GRU, the gradients of `qs`.
    dqs: Vec<f32>, // [N, T, GH]
    dxs: Vec<f32>,   // [N, T, D]
    dwx: Vec<f32>,   // [D, GH]
    dwh: Vec<f32>,   // [H, GH]
    db: Vec<f32>,    // [GH]
    dbh: Vec<f32>,   // [H]
}

#[derive(Clone, Copy, PartialEq)]
enum Gates {
    Rnn = 1,
    Gru = 3,
    Lstm = 4,
}

impl Plan {
    /// Plans a layer of one of the library's cells, by name.
    pub(crate) fn new(
        cell: &str,
        sizes: Sizes,
        weights: Weights,
        xs: &Tensor<f32>,
        dhs: &Tensor<f32>,
    ) -> Self {
        let gates = match cell {
            "lstm" => Gates::Lstm,
            "gru" => Gates::Gru,
            _ => Gates::Rnn,
        };
        let [n, t, d, h] = sizes;
        let g = gates as usize * h;
        let of = |cell: Gates, length: usize| vec![0.0; if gates == cell { length } else { 0 }];
        Plan {
            sizes,
            gates,
            weights,
            zeros: vec![0.0; h],
            xs: xs.to_vec(),
            dhs: dhs.to_vec(),
            ts: vec![0.0; n * t * g],
            qs: of(Gates::Gru, n * t * g),
            hs: vec![0.0; n * t * h],
            cs: of(Gates::Lstm, n * t * h),
            tanh_cs: of(Gates::Lstm, n * t * h),
            dh: vec![0.0; n * h],
            dc: of(Gates::Lstm, n * h),
            dts: vec![0.0; n * t * g],
            dqs: of(Gates::Gru, n * t * g),
            dxs: vec![0.0; n * t * d],
            dwx: vec![0.0; d * g],
            dwh: vec![0.0; h * g],
            db: vec![0.0; g],
            dbh: vec![0.0; h],
        }
    }

    /// Runs both passes; returns how long the first and both took, in microseconds.
    pub(crate) fn run(&mut self) -> [f64; 2] {
        // As after a step of an optimizer: nothing that was derived from the weights is left.
        let Weights { wx, wh, .. } = &mut self.weights;
        (*wx, *wh) = (wx.map(|x| x), wh.map(|x| x));
        let start = Instant::now();
        self.forward();
        let forward = start.elapsed();
        self.backward();
        [forward, start.elapsed()].map(|time| time.as_secs_f64() * 1e6)
    }

    /// The gradients, by the names of parameters; that of the input is `xs`.
    pub(crate) fn gradients(&self) -> [(&str, &[f32]); 5] {
        [("xs", &self.dxs), ("Wx", &self.dwx), ("Wh", &self.dwh), ("b", &self.db), ("bh", &self.dbh)]
    }

    fn forward(&mut self) {
        let [n, t, d, h] = self.sizes;
        let Weights { wx, wh, b, bh } = &self.weights;
        let (b, bh) = (b.as_slice().expect("contiguous"), bh.as_ref().and_then(Tensor::as_slice));
        let g = b.len();
        self.ts.chunks_exact_mut(g).for_each(|row| row.copy_from_slice(b));
        f32::gemm(
            1.0,
            rows(&self.xs, 0, [n * t, d], d),
            wx.as_matrix(),
            1.0,
            rows_mut(&mut self.ts, 0, [n * t, g], g),
        );
        for s in 0..t {
            if s == 0 {
                self.qs.chunks_exact_mut(g).step_by(t).for_each(|row| row.fill(0.0));
            } else {
                let h_prev = rows(&self.hs, (s - 1) * h, [n, h], t * h);
                let (into, beta) = match self.gates {
                    Gates::Gru => (&mut self.qs, 0.0),
                    _ => (&mut self.ts, 1.0),
                };
                f32::gemm(1.0, h_prev, wh.as_matrix(), beta, rows_mut(into, s * g, [n, g], t * g));
            }
            for at in (0..n).map(|r| r * t + s) {
                let ts = &mut self.ts[at * g..][..g];
                let (before, hs) = self.hs.split_at_mut(at * h);
                let h_prev = if s > 0 { &before[at * h - h..] } else { &self.zeros };
                let hs = &mut hs[..h];
                match self.gates {
                    Gates::Rnn => {
                        hs.copy_from_slice(ts);
                        f32::tanh_slice(hs);
                    }
                    Gates::Gru => {
                        let qs = &mut self.qs[at * g..][..g];
                        gru(ts, qs, bh.expect("a GRU has it"), h_prev, hs);
                    }
                    Gates::Lstm => {
                        let (before, cs) = self.cs.split_at_mut(at * h);
                        let c_prev = if s > 0 { &before[at * h - h..] } else { &self.zeros };
                        lstm(ts, c_prev, &mut cs[..h], &mut self.tanh_cs[at * h..][..h], hs);
                    }
                }
            }
        }
    }

    fn backward(&mut self) {
        let [n, t, d, h] = self.sizes;
        let g = self.ts.len() / (n * t);
        let wh_t = self.weights.wh.t();
        self.dc.fill(0.0);
        for s in (0..t).rev() {
            // What the step after this one left in dh is a GRU's z ⊙ dh; other cells have nothing but a product.
            for r in 0..n {
                let (dh, from) = (&mut self.dh[r * h..][..h], &self.dhs[(r * t + s) * h..][..h]);
                if self.gates == Gates::Gru && s + 1 < t {
                    dh.iter_mut().zip(from).for_each(|(dh, x)| *dh += x);
                } else {
                    dh.copy_from_slice(from);
                }
            }
            if s + 1 < t {
                let dqs = if self.gates == Gates::Gru { &self.dqs } else { &self.dts };
                let dq_next = rows(dqs, (s + 1) * g, [n, g], t * g);
                f32::gemm(1.0, dq_next, wh_t.as_matrix(), 1.0, rows_mut(&mut self.dh, 0, [n, h], h));
            }
            for r in 0..n {
                let at = r * t + s;
                let (ts, dts) = (&self.ts[at * g..][..g], &mut self.dts[at * g..][..g]);
                let dh = &mut self.dh[r * h..][..h];
                match self.gates {
                    Gates::Rnn => {
                        let hs = &self.hs[at * h..][..h];
                        for ((dt, &dh), &h) in dts.iter_mut().zip(&*dh).zip(hs) {
                            *dt = dh * (1.0 - h * h);
                        }
                    }
                    Gates::Gru => {
                        let h_prev = if s > 0 { &self.hs[at * h - h..][..h] } else { &self.zeros };
                        gru_backward(
                            ts,
                            &self.qs[at * g..][..g],
                            h_prev,
                            dh,
                            dts,
                            &mut self.dqs[at * g..][..g],
                        );
                    }
                    Gates::Lstm => {
                        let c_prev = if s > 0 { &self.cs[at * h - h..][..h] } else { &self.zeros };
                        lstm_backward(
                            ts,
                            c_prev,
                            &self.tanh_cs[at * h..][..h],
                            dh,
                            &mut self.dc[r * h..][..h],
                            dts,
                        );
                    }
                }
            }
        }
        let dqs = if self.gates == Gates::Gru { &self.dqs } else { &self.dts };
        self.db.fill(0.0);
        for row in self.dts.chunks_exact(g) {
            self.db.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        self.dbh.fill(0.0);
        for row in self.dqs.chunks_exact(g) {
            self.dbh.iter_mut().zip(&row[2 * h..]).for_each(|(sum, x)| *sum += x);
        }
        let all = rows(&self.dts, 0, [n * t, g], g);
        let xs_t = Matrix::new(&self.xs, 0, [d, n * t], [1, d as isize]);
        f32::gemm(1.0, xs_t, all, 0.0, rows_mut(&mut self.dwx, 0, [d, g], g));
        let wx_t = self.weights.wx.t();
        f32::gemm(1.0, all, wx_t.as_matrix(), 0.0, rows_mut(&mut self.dxs, 0, [n * t, d], d));
        // Of each sequence, the states but the last, and the gates but the first.
        let terms: Vec<_> = (0..n)
            .map(|r| {
                let hs_t = Matrix::new(&self.hs, r * t * h, [h, t - 1], [1, h as isize]);
                [hs_t, rows(dqs, (r * t + 1) * g, [t - 1, g], g)]
            })
            .collect();
        self.dwh.fill(0.0);
        f32::gemm_sum(&terms, rows_mut(&mut self.dwh, 0, [h, g], g));
    }
}

/// The matrix of rows that are a step apart.
fn rows(x: &[f32], start: usize, dims: [usize; 2], step: usize) -> Matrix<'_, f32> {
    Matrix::new(x, start, dims, [step as isize, 1])
}

/// The writable matrix of rows that are a step apart.
fn rows_mut(x: &mut [f32], start: usize, dims: [usize; 2], step: usize) -> MatrixMut<'_, f32> {
    MatrixMut::new(x, start, dims, [step as isize, 1])
}

/// `f g i o` of `t`, `c = f ⊙ c_prev + g ⊙ i`, `h = o ⊙ tanh(c)`.
fn lstm(t: &mut [f32], c_prev: &[f32], c: &mut [f32], tanh_c: &mut [f32], h: &mut [f32]) {
    let n = h.len();
    f32::sigmoid_slice(&mut t[..n]);
    f32::tanh_slice(&mut t[n..2 * n]);
    f32::sigmoid_slice(&mut t[2 * n..]);
    let [f, g, i, o] = [0, 1, 2, 3].map(|k| &t[k * n..][..n]);
    for ((((c, c_prev), f), g), i) in c.iter_mut().zip(c_prev).zip(f).zip(g).zip(i) {
        *c = f * c_prev + g * i;
    }
    tanh_c.copy_from_slice(c);
    f32::tanh_slice(tanh_c);
    for ((h, o), q) in h.iter_mut().zip(o).zip(tanh_c) {
        *h = o * *q;
    }
}

fn lstm_backward(t: &[f32], c_prev: &[f32], tanh_c: &[f32], dh: &[f32], dc: &mut [f32], dt: &mut [f32]) {
    let n = dh.len();
    let [f, g, i, o] = [0, 1, 2, 3].map(|k| &t[k * n..][..n]);
    let [df, dg, di, d_o] = parts(dt, n);
    let (c_prev, q, dc) = (&c_prev[..n], &tanh_c[..n], &mut dc[..n]);
    for j in 0..n {
        let ds = dc[j] + dh[j] * o[j] * (1.0 - q[j] * q[j]);
        df[j] = ds * c_prev[j] * f[j] * (1.0 - f[j]);
        dg[j] = ds * i[j] * (1.0 - g[j] * g[j]);
        di[j] = ds * g[j] * i[j] * (1.0 - i[j]);
        d_o[j] = dh[j] * q[j] * o[j] * (1.0 - o[j]);
        dc[j] = ds * f[j];
    }
}

/// `r z` of `t + q`, `n = tanh(t + r ⊙ q)`, `h = z ⊙ h_prev + (1 - z) ⊙ n`; `q` gets `bh`.
fn gru(t: &mut [f32], q: &mut [f32], bh: &[f32], h_prev: &[f32], h: &mut [f32]) {
    let n = h.len();
    let (gates, last) = t.split_at_mut(2 * n);
    gates.iter_mut().zip(&*q).for_each(|(t, q)| *t += q);
    f32::sigmoid_slice(gates);
    let (r, z) = gates.split_at(n);
    for (((t, q), bh), r) in last.iter_mut().zip(&mut q[2 * n..]).zip(bh).zip(r) {
        *q += bh;
        *t += r * *q;
    }
    f32::tanh_slice(last);
    for (((h, z), h_prev), new) in h.iter_mut().zip(z).zip(h_prev).zip(last) {
        *h = z * h_prev + (1.0 - z) * *new;
    }
}

/// Leaves `z ⊙ dh` in `dh`, a part of the gradient of the state before.
fn gru_backward(t: &[f32], q: &[f32], h_prev: &[f32], dh: &mut [f32], dt: &mut [f32], dq: &mut [f32]) {
    let n = dh.len();
    let [r, z, new] = [0, 1, 2].map(|k| &t[k * n..][..n]);
    let ([dr, dz, dn], [qr, qz, qn]) = (parts(dt, n), parts(dq, n));
    let (q, h_prev) = (&q[2 * n..][..n], &h_prev[..n]);
    for j in 0..n {
        let dt_n = dh[j] * (1.0 - z[j]) * (1.0 - new[j] * new[j]);
        let dt_r = dt_n * q[j] * r[j] * (1.0 - r[j]);
        let dt_z = dh[j] * (h_prev[j] - new[j]) * z[j] * (1.0 - z[j]);
        (dr[j], dz[j], dn[j]) = (dt_r, dt_z, dt_n);
        (qr[j], qz[j], qn[j]) = (dt_r, dt_z, dt_n * r[j]);
        dh[j] *= z[j];
    }
}

/// Parts of `n` elements each.
fn parts<const K: usize>(x: &mut [f32], n: usize) -> [&mut [f32]; K] {
    let mut parts = x.chunks_exact_mut(n);
    std::array::from_fn(|_| parts.next().expect("as many parts"))
}
