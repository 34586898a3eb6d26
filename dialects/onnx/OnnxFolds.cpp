// SPDX-License-Identifier: Apache-2.0
#include "dialects/onnx/OnnxOps.h"

using namespace mlir;
using namespace burin::onnx;

OpFoldResult NoneOp::fold(FoldAdaptor) { return UnitAttr::get(getContext()); }
