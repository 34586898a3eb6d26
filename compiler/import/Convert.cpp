// SPDX-License-Identifier: Apache-2.0
//
// Older opsets -> the newest, by ONNX's version converter with the adapters of
// Adapters.cpp.

#include "compiler/import/Adapters.h"
#include "compiler/import/Model.h"
#include "compiler/import/ShapeRules.h"

#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"
#include "onnx/version_converter/convert.h"

using namespace llvm;
using namespace ::onnx;

namespace burin::importer {

/// Whether any node means something else in the newest opset.
static bool needsConversion(GraphProto &graph, int version) {
  bool changed = false;
  forEachGraph(graph, [&](GraphProto &each) {
    for (const NodeProto &node : each.node())
      changed |= node.domain().empty() &&
                 OpSchemaRegistry::Schema(node.op_type(), version, "") !=
                     OpSchemaRegistry::Schema(node.op_type(), int(dialectOpset), "");
  });
  return changed;
}

/// What an assertion of ONNX's library says, without the place in its source.
static StringRef reasonOf(const std::exception &error) {
  StringRef text = StringRef(error.what()).trim();
  auto [place, reason] = text.split("` failed: ");
  return reason.empty() ? text : reason;
}

bool convertToNewestOpset(ModelProto &model, Problems &problems) {
  OperatorSetIdProto *opset = nullptr;
  for (OperatorSetIdProto &each : *model.mutable_opset_import())
    if (each.domain().empty())
      opset = &each;
  if (!opset) { // no node uses it; what is expanded later will
    opset = model.add_opset_import();
    opset->set_domain("");
    opset->set_version(dialectOpset);
    return true;
  }
  if (opset->version() == dialectOpset)
    return true;
  if (!needsConversion(*model.mutable_graph(), int(opset->version()))) {
    opset->set_version(dialectOpset);
    return true;
  }
  try {
    // Some adapters ask for the shapes of a node's operands.
    shape_inference::InferShapes(model, &schemasForInference());
  } catch (const std::exception &) {
    // They are told apart by the adapters that need them.
  }
  try {
    OpSetID from(opset->version()), to(dialectOpset);
    version_conversion::DefaultVersionConverter converter;
    registerAdapters(converter);
    model = converter.convert_version(model, from, to);
  } catch (const std::exception &error) {
    problems.error(ImportStatus::unsupported,
                   "cannot be converted from opset " + Twine(opset->version()) + " to " +
                       Twine(dialectOpset) + ": " + reasonOf(error) +
                       "; export the model with a newer opset");
    return false;
  }
  return true;
}

} // namespace burin::importer
