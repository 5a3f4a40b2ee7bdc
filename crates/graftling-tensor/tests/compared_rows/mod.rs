//! Rows of the table of finite differences: rows that are pooled and compared with each other, and what that costs.

use graftling_tensor::{Graph, ParameterId, Var};

use super::{Case, spans};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "mean of spans, weighted",
        shapes: &[&[6, 3]],
        build: |graph, ids| {
            let weights = [3.0, 1.0, 5.0, 0.0, 2.0, 7.0];
            graph.weighted_span_mean(&graph.parameter(ids[0]), &spans(&[2, 1, 3]), &weights)
        },
    },
    Case {
        name: "mean and largest of the same rows",
        shapes: &[&[6, 3]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            graph.row_products(&graph.span_max(&x, &spans(&[2, 4])), &graph.span_mean(&x, &spans(&[4, 2])), 1.0)
        },
    },
    Case {
        name: "largest of spans",
        shapes: &[&[6, 3]],
        build: |graph, ids| graph.span_max(&graph.parameter(ids[0]), &spans(&[2, 1, 3])),
    },
    Case { name: "unit rows", shapes: &[&[4, 5]], build: |graph, ids| graph.unit_rows(&graph.parameter(ids[0])) },
    Case {
        name: "cosine of rows",
        shapes: &[&[4, 5], &[4, 5]],
        build: |graph, ids| graph.cosine_of_rows(&graph.parameter(ids[0]), &graph.parameter(ids[1])),
    },
    Case {
        name: "cosine of the rows of one value",
        shapes: &[&[4, 5]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            graph.cosine_of_rows(&graph.gather_rows(&x, &[0, 1]), &graph.gather_rows(&x, &[2, 3]))
        },
    },
    Case {
        name: "distance of rows",
        shapes: &[&[4, 5], &[4, 5]],
        build: |graph, ids| graph.distance_of_rows(&graph.parameter(ids[0]), &graph.parameter(ids[1])),
    },
    Case {
        name: "products of rows",
        shapes: &[&[3, 4], &[5, 4]],
        build: |graph, ids| graph.row_products(&graph.parameter(ids[0]), &graph.parameter(ids[1]), 1.5),
    },
    Case {
        name: "products of rows with themselves",
        shapes: &[&[3, 4]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            graph.row_products(&x, &x, 0.5)
        },
    },
];

/// Triplets of rows as the triplet loss takes them: their distances in twos.
fn distances_in_twos(graph: &Graph, ids: &[ParameterId]) -> Var {
    let x = graph.parameter(ids[0]);
    graph.distance_of_rows(&graph.gather_rows(&x, &[0, 0, 3, 3]), &graph.gather_rows(&x, &[1, 2, 4, 5]))
}

pub(super) const LOSSES: &[Case] = &[
    Case {
        name: "inner product",
        shapes: &[&[2, 3]],
        build: |graph, ids| graph.inner_product(&graph.parameter(ids[0]), &[0.5, -1.0, 2.0, 1.5, -3.0, 0.25]),
    },
    Case {
        name: "cosent",
        shapes: &[&[5, 1]],
        build: |graph, ids| graph.cosent(&graph.parameter(ids[0]), &[0.5, -1.0, 0.5, 2.0, 0.0], 2.0),
    },
    Case {
        name: "contrastive",
        shapes: &[&[4, 1]],
        build: |graph, ids| graph.contrastive(&graph.parameter(ids[0]), &[true, false, true, false], 1.5, 4.0),
    },
    Case {
        name: "triplet margin",
        shapes: &[&[6, 3]],
        build: |graph, ids| graph.triplet_margin(&distances_in_twos(graph, ids), 2.5, 2.0),
    },
    Case {
        name: "triplet margin that is kept",
        shapes: &[&[6, 3]],
        build: |graph, ids| graph.triplet_margin(&distances_in_twos(graph, ids), 0.01, 2.0),
    },
];
