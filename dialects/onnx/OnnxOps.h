// SPDX-License-Identifier: Apache-2.0
//
// The onnx dialect with all of its ops. See OnnxOps.td.

#ifndef BURIN_DIALECTS_ONNX_ONNXOPS_H
#define BURIN_DIALECTS_ONNX_ONNXOPS_H

#include "dialects/onnx/OnnxBase.h"

#define GET_OP_CLASSES
#include "dialects/onnx/families/Core.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Elementwise.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Reduction.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Contraction.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Window.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Movement.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Indexing.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Shape.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Control.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Normalization.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Attention.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Recurrent.h.inc"
#define GET_OP_CLASSES
#include "dialects/onnx/families/Signal.h.inc"

#endif
