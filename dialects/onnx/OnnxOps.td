// SPDX-License-Identifier: Apache-2.0
//
// The whole dialect, for documentation and tools. The build generates each family
// by itself, so that an edit of one rebuilds one.

#ifndef BURIN_ONNX_OPS
#define BURIN_ONNX_OPS

include "families/Core.td"
include "families/Elementwise.td"
include "families/Reduction.td"
include "families/Contraction.td"
include "families/Window.td"
include "families/Movement.td"
include "families/Indexing.td"
include "families/Shape.td"
include "families/Control.td"
include "families/Normalization.td"
include "families/Attention.td"
include "families/Recurrent.td"
include "families/Signal.td"

#endif
