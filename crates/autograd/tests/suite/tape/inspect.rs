//! The public look inside a tape, and the observed backward pass.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Node, NodeKind, Op, Param, Tape};
use retrograde_tensor::{Shape, Tensor, assert_close};

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 0.7, &mut StdRng::seed_from_u64(seed)).unwrap()
}

#[test]
fn a_node_says_all_that_was_recorded() {
    let (tape, w) = (Tape::new(), Param::new("W", normal([3, 2], 1)));
    let x = tape.var(normal([1, 3], 2)).named("x");
    tape.set_step(Some(4));
    let t = x.matmul(&w).named("t");
    tape.set_step(None);
    let line = line!() + 1;
    let y = t.tanh() * tape.constant(Tensor::scalar(2.0));
    let nodes = tape.nodes();
    let label = |node: &Node<f64>| node.label();
    assert_eq!(nodes.iter().map(label).collect::<Vec<_>>(), ["x", "W", "t_4", "v3", "v4", "v5"]);
    assert!(nodes.iter().enumerate().all(|(i, node)| node.id.index() == i));
    let operands = |i: usize| nodes[i].operands.iter().map(|id| id.index()).collect::<Vec<_>>();
    assert_eq!(
        [operands(0), operands(2), operands(3), operands(5)],
        [vec![], vec![0, 1], vec![2], vec![3, 4]]
    );
    assert_eq!(
        nodes.iter().map(|node| node.step).collect::<Vec<_>>(),
        [None, None, Some(4), None, None, None]
    );
    assert!(matches!(nodes[0].kind, NodeKind::Variable));
    assert!(matches!(&nodes[1].kind, NodeKind::Parameter(found) if found.same(&w)));
    assert!(matches!(nodes[2].kind, NodeKind::Op(Op::MatMul)));
    assert!(matches!(nodes[4].kind, NodeKind::Constant));
    assert_eq!(nodes[2].shape, Shape::from([1, 2]));
    // The rule of tanh reads its output, that of the product its factors; nothing reads the matrix product.
    let kept: Vec<bool> = nodes.iter().map(|node| node.value.is_some()).collect();
    assert_eq!(kept, [true, true, false, true, true, false]);
    assert_eq!(nodes[1].value, Some(w.value()));
    let tracked: Vec<bool> = nodes.iter().map(|node| node.tracked).collect();
    assert_eq!(tracked, [true, true, true, true, false, true]);
    assert_eq!((nodes[3].location.line(), nodes[3].location.file()), (line, file!()));
    assert_eq!(tape.node(y.id().unwrap()).unwrap().label(), "v5");
    assert_eq!(tape.params().iter().map(Param::name).collect::<Vec<_>>(), ["W"]);
    let other = Tape::new();
    other.var(normal([1], 1));
    assert!(other.node(y.id().unwrap()).is_none());
    assert_eq!(Tape::<f64>::inference().var(normal([1], 1)).id(), None);
}

/// Terms add up to the cotangent at each node; those of a weight are those of its uses; the gradients are as ever.
#[test]
fn an_observer_sees_terms_that_add_up() {
    for recompute in [false, true] {
        let (tape, w) = (Tape::new(), Param::new("W", normal([3, 3], 1)));
        let xs = tape.var(normal([2, 4, 3], 2)).named("xs");
        let mut h = tape.constant(Tensor::zeros([2, 3]));
        let mut states = Vec::new();
        for step in 0..4 {
            tape.set_step(Some(step));
            let cell = || (h.matmul(&w) + xs.select(1, step)).tanh().named("h");
            h = if recompute { tape.recompute(cell) } else { cell() };
            states.push(h.clone());
        }
        let (dh, d1) = (normal([2, 3], 3), normal([2, 3], 4));
        let outputs = [(&h, &dh), (&states[1], &d1), (&h, &d1)];
        let mut order = Vec::new();
        let mut of_w = Vec::new();
        let found = tape
            .backward_observed(&outputs, |visit| {
                // An observer may look at the tape, and record on it.
                let node = tape.node(visit.node).unwrap();
                tape.constant(Tensor::scalar(0.0));
                order.push(visit.node);
                let mut sum = visit.terms[0].value.clone();
                visit.terms[1..].iter().for_each(|term| sum.add_assign(&term.value));
                assert_close!(visit.cotangent, &sum, 1e-13, 1e-15);
                for term in visit.terms {
                    assert_eq!(term.value.shape(), node.shape);
                    if let Some((user, i)) = term.from {
                        assert_eq!(tape.node(user).unwrap().operands[i], visit.node);
                    }
                }
                let seeds = visit.terms.iter().filter(|term| term.from.is_none()).count();
                let given = |y: &&(&retrograde_autograd::Var<'_, f64>, _)| y.0.id() == Some(visit.node);
                assert_eq!(seeds, outputs.iter().filter(given).count());
                if node.label() == "W" {
                    of_w = visit.terms.iter().map(|term| term.value.clone()).collect();
                }
            })
            .unwrap();
        assert!(order.windows(2).all(|pair| pair[0] > pair[1]), "{order:?}");
        let expected = tape.backward(&outputs).unwrap();
        assert_eq!(found.get(&xs), expected.get(&xs));
        assert_close!(found.get(&w).unwrap(), expected.get(&w).unwrap(), 1e-13, 1e-15);
        // dW = Σ h_{t-1}ᵀ · dt_t, from the last step to the first, whose state is zero.
        let mut dh_t = &dh + &d1;
        for t in (0..4).rev() {
            let dt = &dh_t * &(1.0 - states[t].value().square());
            let h_prev = if t > 0 { states[t - 1].value().clone() } else { Tensor::zeros([2, 3]) };
            assert_close!(&of_w[3 - t], h_prev.t().matmul(&dt), 1e-13, 1e-15);
            dh_t = dt.matmul(&w.value().t());
            if t == 2 {
                dh_t += &d1;
            }
        }
        assert_eq!(of_w.len(), 4);
    }
}
