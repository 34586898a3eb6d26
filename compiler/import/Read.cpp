// SPDX-License-Identifier: Apache-2.0
//
// From the file to a ModelProto without its big payloads.

#include "compiler/import/Model.h"
#include "compiler/import/Wire.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/stubs/logging.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "onnx/defs/parser.h"

using namespace llvm;
using namespace ::onnx;

namespace burin::importer {

/// ONNX's text parser recurses at each bracket.
static constexpr unsigned maxTextNesting = 200;

static bool readBinary(StringRef bytes, ModelProto &model, Problems &problems) {
  if (bytes.size() >= 8 && bytes.substr(4, 4) == "ORTM") {
    problems.error(ImportStatus::badFile,
                   "is in ONNX Runtime's own format; give the ONNX file it was made from");
    return false;
  }
  Expected<std::string> skeleton = detachPayloads(bytes);
  if (!skeleton) {
    problems.error(ImportStatus::badFile, toString(skeleton.takeError()));
    return false;
  }
  if (skeleton->size() > INT32_MAX) {
    problems.error(ImportStatus::badFile,
                   "has more than 2 GiB besides its tensors' raw data; store weights as raw data");
    return false;
  }
  // Protobuf's own messages would go to stderr, past the diagnostics.
  google::protobuf::LogSilencer silence;
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t *>(skeleton->data()), int(skeleton->size()));
  input.SetRecursionLimit(maxMessageDepth);
  if (!model.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
    Error reason = checkMessages(bytes);
    problems.error(ImportStatus::badFile,
                   reason ? toString(std::move(reason))
                          : "is not an ONNX model: malformed protobuf, or messages nest more than " +
                                std::to_string(maxMessageDepth) + " deep");
    return false;
  }
  return true;
}

static bool readText(StringRef text, ModelProto &model, Problems &problems) {
  unsigned depth = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (quoted && c == '\\')
      ++at;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && StringRef("([{<").contains(c))
      ++depth;
    else if (!quoted && StringRef(")]}>").contains(c) && depth)
      --depth;
    if (depth > maxTextNesting) {
      problems.error(ImportStatus::badFile, "nests brackets more than " + Twine(maxTextNesting) +
                                                " deep; flatten the nested subgraphs");
      return false;
    }
  }
  std::string copy = text.str(); // the parser needs a terminating NUL
  OnnxParser parser(copy.c_str());
  Common::Status status = parser.Parse(model);
  if (!status.IsOK()) {
    problems.error(ImportStatus::badFile, status.ErrorMessage());
    return false;
  }
  if (!parser.EndOfInput()) {
    problems.error(ImportStatus::badFile, "has text after the end of the model");
    return false;
  }
  return true;
}

bool readModel(StringRef path, WeightStore &store, ModelProto &model, Problems &problems) {
  if (Error error = store.mapFile(WeightStore::modelSegment, path)) {
    problems.error(ImportStatus::badFile, "cannot be read: " + toString(std::move(error)));
    return false;
  }
  ArrayRef<char> bytes =
      *store.bytes(WeightStore::modelSegment, 0, *store.size(WeightStore::modelSegment));
  StringRef contents(bytes.data(), bytes.size());
  bool text = sys::path::extension(path) == ".onnxtxt";
  if (!(text ? readText(contents, model, problems) : readBinary(contents, model, problems)))
    return false;
  if (!model.has_graph()) {
    problems.error(ImportStatus::badFile, "is not an ONNX model: it has no graph");
    return false;
  }
  return true;
}

//===- The whole file -------------------------------------------------------===//

void forEachGraph(GraphProto &graph, function_ref<void(GraphProto &)> visit) {
  visit(graph);
  for (NodeProto &node : *graph.mutable_node())
    for (AttributeProto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        forEachGraph(*attribute.mutable_g(), visit);
      for (GraphProto &inner : *attribute.mutable_graphs())
        forEachGraph(inner, visit);
    }
}

static void normalizeNodes(google::protobuf::RepeatedPtrField<NodeProto> &nodes, uint64_t &count) {
  for (auto [index, node] : llvm::enumerate(nodes)) {
    ++count;
    if (node.domain() == "ai.onnx")
      node.clear_domain();
    if (node.name().empty())
      node.set_name(node.op_type() + "_" + std::to_string(index));
    for (AttributeProto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        normalizeNodes(*attribute.mutable_g()->mutable_node(), count);
      for (GraphProto &inner : *attribute.mutable_graphs())
        normalizeNodes(*inner.mutable_node(), count);
    }
  }
}

static bool normalizeOpsets(ModelProto &model, Problems &problems) {
  std::map<std::string, int64_t> versions;
  for (OperatorSetIdProto &opset : *model.mutable_opset_import()) {
    if (opset.domain() == "ai.onnx")
      opset.clear_domain();
    if (opset.version() < 1 || opset.version() > INT32_MAX)
      problems.error(ImportStatus::badFile, "imports version " + Twine(opset.version()) +
                                                " of the operator set '" + opset.domain() + "'");
    if (!versions.try_emplace(opset.domain(), opset.version()).second)
      problems.error(ImportStatus::badFile,
                     "imports the operator set '" + opset.domain() + "' twice");
  }
  // Before IR version 3 a model could not say which operators it means.
  if (model.ir_version() < 3 && versions.empty()) {
    OperatorSetIdProto *opset = model.add_opset_import();
    opset->set_domain("");
    opset->set_version(1);
    versions[""] = 1;
  }
  problems.report.irVersion = model.ir_version();
  problems.report.producer = model.producer_name();
  auto standard = versions.find("");
  if (standard == versions.end())
    return !problems.any();
  problems.report.opset = standard->second;
  if (standard->second > dialectOpset)
    problems.error(ImportStatus::unsupported,
                   "uses opset " + Twine(standard->second) + ", but the newest known is " +
                       Twine(dialectOpset) + "; export the model with an older opset");
  return !problems.any();
}

bool normalize(ModelProto &model, Problems &problems) {
  normalizeNodes(*model.mutable_graph()->mutable_node(), problems.report.nodes);
  for (FunctionProto &function : *model.mutable_functions()) {
    if (function.domain() == "ai.onnx")
      function.clear_domain();
    for (OperatorSetIdProto &opset : *function.mutable_opset_import())
      if (opset.domain() == "ai.onnx")
        opset.clear_domain();
    normalizeNodes(*function.mutable_node(), problems.report.nodes);
  }
  if (problems.report.nodes > maxNodes)
    problems.error(ImportStatus::unsupported,
                   "has " + Twine(problems.report.nodes) + " nodes, more than the " +
                       Twine(maxNodes) + " that are compiled; split the model");
  model.clear_training_info();
  // Rules of older IR versions (an initialiser is an input as well) end here.
  bool known = normalizeOpsets(model, problems);
  model.set_ir_version(std::max<int64_t>(model.ir_version(), 10));

  GraphProto &graph = *model.mutable_graph();
  problems.report.initializers = graph.initializer_size() + graph.sparse_initializer_size();
  if (graph.name().empty())
    graph.set_name("main");
  StringSet<> constants;
  for (const TensorProto &tensor : graph.initializer())
    constants.insert(tensor.name());
  for (const SparseTensorProto &tensor : graph.sparse_initializer())
    constants.insert(tensor.values().name());
  auto &inputs = *graph.mutable_input();
  int kept = 0;
  for (int i = 0; i < inputs.size(); ++i) {
    if (constants.contains(inputs[i].name()))
      problems.report.defaultedInputs.push_back(inputs[i].name());
    else
      inputs.SwapElements(kept++, i);
  }
  inputs.DeleteSubrange(kept, inputs.size() - kept);
  return known;
}

//===- Small external tensors -----------------------------------------------===//

bool inlineSmallTensors(ModelProto &model, TensorReader &reader, Problems &problems) {
  auto take = [&](TensorProto &tensor, mlir::Location where) {
    if (Error error = reader.inlineSmall(tensor))
      problems.error(ImportStatus::badFile, where,
                     "tensor '" + tensor.name() + "' " + toString(std::move(error)));
  };
  auto takeNodes = [&](auto &nodes) {
    for (NodeProto &node : nodes)
      for (AttributeProto &attribute : *node.mutable_attribute()) {
        if (attribute.has_t())
          take(*attribute.mutable_t(), problems.nodeLocation(node));
        for (TensorProto &tensor : *attribute.mutable_tensors())
          take(tensor, problems.nodeLocation(node));
      }
  };
  auto takeGraph = [&](GraphProto &graph) {
    for (TensorProto &tensor : *graph.mutable_initializer())
      take(tensor, problems.fileLocation());
    takeNodes(*graph.mutable_node());
  };
  forEachGraph(*model.mutable_graph(), takeGraph);
  for (FunctionProto &function : *model.mutable_functions()) {
    takeNodes(*function.mutable_node());
    for (NodeProto &node : *function.mutable_node())
      for (AttributeProto &attribute : *node.mutable_attribute()) {
        if (attribute.has_g())
          forEachGraph(*attribute.mutable_g(), takeGraph);
        for (GraphProto &inner : *attribute.mutable_graphs())
          forEachGraph(inner, takeGraph);
      }
  }
  return !problems.any();
}

} // namespace burin::importer
