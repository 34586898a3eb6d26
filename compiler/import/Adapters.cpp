// SPDX-License-Identifier: Apache-2.0
//
// One row per operator and step of opset. An adapter rewrites a node in place, in the
// converter's own graph; it throws (ONNX_ASSERTM) where the node has no equivalent.

#include "compiler/import/Adapters.h"

#include "llvm/ADT/StringRef.h"
#include "onnx/common/assertions.h"
#include "onnx/version_converter/adapters/softmax_12_13.h"
#include "onnx/version_converter/adapters/transformers.h"
#include "onnx/version_converter/adapters/upsample_9_10.h"

#include <cmath>

using namespace ::onnx;

namespace burin::importer {
namespace {

using GraphPointer = std::shared_ptr<Graph>;

const Symbol axes("axes"), axis("axis"), broadcast("broadcast"), directions("directions"),
    mode("mode"), nearestMode("nearest_mode"), p("p"), paddings("paddings"), pads("pads"),
    outputSequence("output_sequence"), repeats("repeats"),
    scanInputDirections("scan_input_directions"), split("split"), to("to"), value("value");

/// `kind` with the attribute `axes` (as up to opset 12), reading `input`.
Node *createWithAxes(const GraphPointer &graph, Symbol kind, Value *input,
                     std::vector<int64_t> onAxes) {
  Node *node = graph->create(kind);
  node->addInput(input);
  node->is_(axes, std::move(onAxes));
  node->output()->setElemType(input->elemType());
  return node;
}

/// Elements of a constant integer or float operand, as numbers.
std::vector<double> constantElements(const GraphPointer &graph, Value *operand, const char *what) {
  const Tensor *tensor = nullptr;
  if (operand->node()->kind() == Symbol("Constant") && operand->node()->hasAttribute(value)) {
    tensor = &operand->node()->t(value);
  } else {
    auto initializer = graph->getInitializer(operand->uniqueName());
    if (initializer != graph->initializers().end())
      tensor = &*initializer;
  }
  ONNX_ASSERTM(tensor, what, " is computed, but must be constant")
  auto read = [&]<typename T>(const std::vector<T> &typed) {
    if (!tensor->is_raw_data())
      return std::vector<double>(typed.begin(), typed.end());
    std::vector<T> raw(tensor->raw().size() / sizeof(T));
    std::copy_n(tensor->raw().data(), raw.size() * sizeof(T), reinterpret_cast<char *>(raw.data()));
    return std::vector<double>(raw.begin(), raw.end());
  };
  switch (tensor->elem_type()) {
  case TensorProto::INT64:
    return read(tensor->int64s());
  case TensorProto::INT32:
    return read(tensor->int32s());
  case TensorProto::FLOAT:
    return read(tensor->floats());
  default:
    ONNX_ASSERTM(false, what, " has an unexpected element type")
  }
  return {};
}

/// Up to opset 6 the second operand's sizes lay along the first's from `axis` on.
/// The converter's own adapter appends too many sizes of 1.
Node *adaptBroadcast(const GraphPointer &graph, Node *node) {
  bool wanted = node->hasAttribute(broadcast) && node->i(broadcast) != 0;
  if (wanted && node->hasAttribute(axis)) {
    Value *a = node->inputs()[0], *b = node->inputs()[1];
    ONNX_ASSERTM(a->has_sizes() && b->has_sizes(),
                 "the ranks of broadcast operands must be known to convert '",
                 node->kind().toString(), "'")
    int64_t rank = int64_t(a->sizes().size()), inner = int64_t(b->sizes().size());
    int64_t first = node->i(axis) < 0 ? node->i(axis) + rank : node->i(axis);
    int64_t trailing = rank - first - inner;
    ONNX_ASSERTM(first >= 0 && trailing >= 0, "the axis of '", node->kind().toString(),
                 "' is out of range")
    if (trailing > 0) {
      std::vector<int64_t> added;
      std::vector<Dimension> sizes = b->sizes();
      for (int64_t i = 0; i < trailing; ++i) {
        added.push_back(inner + i);
        sizes.emplace_back(1);
      }
      Node *unsqueeze = createWithAxes(graph, Symbol("Unsqueeze"), b, std::move(added));
      unsqueeze->insertBefore(node);
      unsqueeze->output()->setSizes(sizes);
      node->replaceInput(1, unsqueeze->output());
    }
  }
  for (Symbol old : {broadcast, axis})
    if (node->hasAttribute(old))
      node->removeAttribute(old);
  return node;
}

/// A slope per channel was one-dimensional; now it broadcasts from the right.
Node *adaptPRelu(const GraphPointer &graph, Node *node) {
  Value *x = node->inputs()[0], *slope = node->inputs()[1];
  ONNX_ASSERTM(x->has_sizes() && slope->has_sizes(),
               "the ranks of PRelu's operands must be known")
  std::vector<Dimension> sizes = slope->sizes();
  if (sizes.size() != 1 || (sizes[0].is_int && sizes[0].dim == 1))
    return node;
  std::vector<int64_t> added;
  for (int64_t i = 2; i < int64_t(x->sizes().size()); ++i) {
    added.push_back(i - 1);
    sizes.emplace_back(1);
  }
  if (added.empty())
    return node;
  Node *unsqueeze = createWithAxes(graph, Symbol("Unsqueeze"), slope, std::move(added));
  unsqueeze->insertBefore(node);
  unsqueeze->output()->setSizes(sizes);
  node->replaceInput(1, unsqueeze->output());
  return node;
}

/// `to` was the name of a type.
Node *adaptCast(const GraphPointer &, Node *node) {
  TensorProto_DataType type;
  ONNX_ASSERTM(TensorProto_DataType_Parse(llvm::StringRef(node->s(to)).upper(), &type),
               "Cast goes to the unknown type '", node->s(to), "'")
  node->removeAttribute(to);
  node->i_(to, type);
  return node;
}

/// `p` was a float.
Node *adaptLpPool(const GraphPointer &, Node *node) {
  if (!node->hasAttribute(p))
    return node;
  double norm = node->f(p);
  ONNX_ASSERTM(norm == std::floor(norm) && std::abs(norm) < 1e9,
               "'", node->kind().toString(), "' has a p that is no integer")
  node->removeAttribute(p);
  node->i_(p, int64_t(norm));
  return node;
}

/// `pads` was called `paddings`.
Node *adaptPad(const GraphPointer &, Node *node) {
  if (node->hasAttribute(paddings)) {
    std::vector<int64_t> sizes = node->is(paddings);
    node->removeAttribute(paddings);
    node->is_(pads, std::move(sizes));
  }
  return node;
}

/// The cells' results became optional, which the attribute had said.
Node *adaptRecurrent(const GraphPointer &, Node *node) {
  if (node->hasAttribute(outputSequence))
    node->removeAttribute(outputSequence);
  return node;
}

/// The sizes could be an operand, which came back as one in opset 13.
Node *adaptSplit(const GraphPointer &graph, Node *node) {
  if (node->inputs().size() < 2)
    return node;
  std::vector<int64_t> sizes;
  for (double size : constantElements(graph, node->inputs()[1], "Split's second operand"))
    sizes.push_back(int64_t(size));
  node->removeInput(1);
  node->is_(split, std::move(sizes));
  return node;
}

/// Tile repeated along one axis; both numbers were operands.
Node *adaptTile(const GraphPointer &graph, Node *node) {
  ONNX_ASSERTM(node->inputs().size() == 3 && node->inputs()[0]->has_sizes(),
               "the rank of Tile's operand must be known")
  std::vector<double> tiles = constantElements(graph, node->inputs()[1], "Tile's second operand");
  std::vector<double> along = constantElements(graph, node->inputs()[2], "Tile's third operand");
  double rank = double(node->inputs()[0]->sizes().size());
  ONNX_ASSERTM(tiles.size() == 1 && along.size() == 1 && along[0] >= 0 && along[0] < rank,
               "Tile's axis is out of range")
  Tensor counts;
  counts.elem_type() = TensorProto::INT64;
  counts.sizes() = {int64_t(rank)};
  counts.int64s().assign(size_t(rank), 1);
  counts.int64s()[size_t(along[0])] = int64_t(tiles[0]);
  Node *constant = graph->create(Symbol("Constant"));
  constant->t_(value, std::move(counts));
  constant->insertBefore(node);
  node->removeInput(2);
  node->replaceInput(1, constant->output());
  return node;
}

/// Upsample only ever made its operand larger: it rounds down, whatever computes its scales.
Node *adaptUpsample(const GraphPointer &graph, Node *node) {
  Node *resize = version_conversion::Upsample_9_10().adapt_upsample_9_10(graph, node);
  resize->s_(nearestMode, "floor");
  return resize;
}

/// Where a result's element lies in the operand was not an attribute yet: position / scale, which
/// Resize rounded down, or up along axes that it makes smaller: "simple", as ONNX Runtime calls it. The
/// converter's own adapter leaves the defaults of opset 11.
Node *adaptResize(const GraphPointer &graph, Node *node) {
  ONNX_ASSERTM(node->inputs().size() >= 2, "Resize has no scales")
  Value *scales = node->inputs()[1];
  node->s_(Symbol("coordinate_transformation_mode"), "asymmetric");
  if (!node->hasAttribute(nearestMode))
    node->s_(nearestMode, "simple");
  Tensor none; // the region, which only another mode reads
  none.elem_type() = TensorProto::FLOAT;
  none.sizes() = {0};
  Node *region = graph->create(Symbol("Constant"));
  region->t_(value, std::move(none));
  region->insertBefore(node);
  node->addInput(scales);
  node->replaceInput(1, region->output());
  return node;
}

/// Hardmax looked at a matrix, as Softmax did.
Node *adaptHardmax(const GraphPointer &graph, Node *node) {
  version_conversion::Softmax_12_13("Hardmax").adapt_softmax_12_13(graph, node);
  return node;
}

/// Scan had a batch dimension. A batch of one is squeezed away and put back; the
/// converter's own adapter changes the shapes of the graph's inputs instead.
Node *adaptScan(const GraphPointer &graph, Node *node) {
  std::vector<Value *> inputs = node->inputs().vec(), outputs = node->outputs().vec();
  ONNX_ASSERTM(!inputs.empty() && inputs[0]->uniqueName().empty(),
               "Scan with sequence lengths has no equivalent")
  if (node->hasAttribute(directions)) {
    std::vector<int64_t> each = node->is(directions);
    node->removeAttribute(directions);
    node->is_(scanInputDirections, std::move(each));
  }
  node->removeAllInputs();
  for (size_t i = 1; i < inputs.size(); ++i) {
    Value *input = inputs[i];
    ONNX_ASSERTM(input->has_sizes() && !input->sizes().empty() && input->sizes()[0].is_int &&
                     input->sizes()[0].dim == 1,
                 "Scan with a batch other than 1 has no equivalent")
    Node *squeeze = createWithAxes(graph, Symbol("Squeeze"), input, {0});
    squeeze->insertBefore(node);
    squeeze->output()->setSizes({input->sizes().begin() + 1, input->sizes().end()});
    node->addInput(squeeze->output());
  }
  Node *last = node;
  for (Value *output : outputs) {
    std::vector<Dimension> sizes = output->sizes();
    bool known = output->has_sizes() && !sizes.empty();
    Node *unsqueeze = graph->create(Symbol("Unsqueeze"));
    unsqueeze->is_(axes, {0});
    unsqueeze->insertAfter(last);
    last = unsqueeze;
    // The result keeps its name, which may be one of the graph's outputs.
    std::string name = output->uniqueName();
    output->replaceAllUsesWith(unsqueeze->output());
    unsqueeze->addInput(output);
    unsqueeze->output()->setElemType(output->elemType());
    if (known) {
      unsqueeze->output()->setSizes(sizes);
      output->setSizes({sizes.begin() + 1, sizes.end()});
    }
  }
  return node;
}

struct Row {
  const char *op;
  int64_t from, to;
  version_conversion::NodeTransformerFunction adapt;
};

} // namespace

void registerAdapters(version_conversion::BaseVersionConverter &converter) {
  auto unchanged = [](const GraphPointer &, Node *node) { return node; };
  const Row rows[] = {
      {"GlobalLpPool", 1, 2, adaptLpPool}, {"LpPool", 1, 2, adaptLpPool},
      {"Pad", 1, 2, adaptPad},             {"Split", 1, 2, adaptSplit},
      {"GRU", 2, 3, unchanged},            {"Cast", 5, 6, adaptCast},
      {"Tile", 5, 6, adaptTile},           {"Add", 6, 7, adaptBroadcast},
      {"And", 6, 7, adaptBroadcast},       {"Div", 6, 7, adaptBroadcast},
      {"Equal", 6, 7, adaptBroadcast},     {"Greater", 6, 7, adaptBroadcast},
      {"Less", 6, 7, adaptBroadcast},      {"Mul", 6, 7, adaptBroadcast},
      {"Or", 6, 7, adaptBroadcast},        {"Pow", 6, 7, adaptBroadcast},
      {"PRelu", 6, 7, adaptPRelu},         {"Sub", 6, 7, adaptBroadcast},
      {"Xor", 6, 7, adaptBroadcast},       {"GRU", 6, 7, adaptRecurrent},
      {"LSTM", 6, 7, adaptRecurrent},      {"RNN", 6, 7, adaptRecurrent},
      {"Scan", 8, 9, adaptScan},           {"Resize", 10, 11, adaptResize},
      {"Hardmax", 12, 13, adaptHardmax},   {"Upsample", 9, 10, adaptUpsample},
  };
  for (const Row &row : rows)
    converter.registerAdapter(row.op, row.from, row.to, row.adapt);
}

} // namespace burin::importer
