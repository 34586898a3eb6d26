// SPDX-License-Identifier: Apache-2.0
//
// The ONNX side of the import, as steps over a ModelProto. Importer.cpp calls them
// in the order in which they stand here; each reports all problems it finds and
// returns false where the next step cannot go on. ONNX's library throws: the
// callers have the one try block.

#ifndef BURIN_COMPILER_IMPORT_MODEL_H
#define BURIN_COMPILER_IMPORT_MODEL_H

#include "compiler/import/Importer.h"
#include "compiler/import/Problems.h"
#include "compiler/import/Tensors.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "onnx/onnx-ml.pb.h"

#include <string>

namespace burin::importer {

/// The opset that the onnx dialect stands for.
constexpr int64_t dialectOpset = 28;

/// More nodes than this, functions inlined, would compile without end.
constexpr uint64_t maxNodes = uint64_t(1) << 17;

/// Reads a model without its big payloads, which stay in segment "model" of
/// `store`. A `.onnxtxt` file is read by ONNX's text parser.
bool readModel(llvm::StringRef path, WeightStore &store, ::onnx::ModelProto &model,
               Problems &problems);

/// Writes the default domain as "", names nameless nodes `<op>_<i>`, drops graph
/// inputs that have an initialiser, and checks what concerns the whole file.
bool normalize(::onnx::ModelProto &model, Problems &problems);

/// Takes small external tensors into the model, so that shapes and sizes kept in
/// them are known to all later steps.
bool inlineSmallTensors(::onnx::ModelProto &model, TensorReader &reader, Problems &problems);

/// Replaces calls of model-local functions by their bodies, after checking that
/// they are not recursive and how much they unfold to.
bool inlineFunctions(::onnx::ModelProto &model, Problems &problems);

/// Every node against its operator's definition, every name defined once and
/// before its uses. Sorts nodes that are merely out of order.
bool checkModel(::onnx::ModelProto &model, Problems &problems);

/// Reports nodes that `known` does not answer true for, that are no functions (ONNX's or
/// optimizers) and that ONNX does not replace in a newer opset. ONNX's own inference is run only on
/// operators that pass.
bool checkSupport(::onnx::ModelProto &model,
                  llvm::function_ref<bool(const ::onnx::NodeProto &)> known, Problems &problems);

/// Applies --dim and --input to every type of the model.
bool applySizes(::onnx::ModelProto &model, const ImportOptions &options, Problems &problems);

/// Rewrites the model in the newest opset.
bool convertToNewestOpset(::onnx::ModelProto &model, Problems &problems);

/// Expands operators for which `expand` answers true and that are defined as functions, by
/// ONNX or here (optimizers), and leaves the inferred types of all values in value_info.
bool expandOperators(::onnx::ModelProto &model,
                     llvm::function_ref<bool(const ::onnx::NodeProto &)> expand,
                     Problems &problems);

/// Whether `node` is an optimizer of ai.onnx.preview.training that fits its inputs, for which
/// `makeOptimizerBody` writes the function that ONNX describes.
bool isOptimizer(const ::onnx::NodeProto &node);
void makeOptimizerBody(const ::onnx::NodeProto &node, ::onnx::FunctionProto &body);

/// Visits every graph of the model, the main one first, then subgraphs.
void forEachGraph(::onnx::GraphProto &graph,
                  llvm::function_ref<void(::onnx::GraphProto &)> visit);

} // namespace burin::importer

#endif
