// SPDX-License-Identifier: Apache-2.0
//
// Operators that are defined by other operators: functions in the model, and
// operators that ONNX itself defines as functions.

#include "compiler/import/Model.h"
#include "compiler/import/ShapeRules.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"
#include "onnx/common/proto_util.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/attribute_binder.h"
#include "onnx/shape_inference/implementation.h"

using namespace llvm;
using namespace ::onnx;

namespace burin::importer {

//===- Functions of the model -----------------------------------------------===//

/// Calls may nest this deep, as ONNX's inliner has it; bodies may unfold to graphs nested this
/// deep.
static constexpr unsigned maxCallDepth = 100;
static constexpr unsigned maxGraphDepth = 100;

namespace {

/// How much a call unfolds to, computed once per function.
class Unfolding {
public:
  struct Size {
    uint64_t nodes = 0;
    unsigned graphDepth = 0;
    unsigned callDepth = 0;
  };

  Unfolding(const ModelProto &model, Problems &problems) : problems(problems) {
    for (const FunctionProto &function : model.functions())
      if (!functions.try_emplace(GetFunctionImplId(function), &function).second)
        problems.error(ImportStatus::badFile, "function '" + function.name() + "' of '" +
                                                  function.domain() + "' is defined twice");
  }

  /// Nothing where a limit is passed, which has been reported.
  template <typename Nodes> std::optional<Size> measure(const Nodes &nodes, unsigned callDepth) {
    Size total;
    for (const NodeProto &node : nodes) {
      Size size{1, 0, 0};
      auto callee = functions.find(GetCalleeId(node));
      if (callee != functions.end()) {
        std::optional<Size> body = measure(*callee->second, node, callDepth);
        if (!body)
          return std::nullopt;
        size = *body;
      }
      for (const AttributeProto &attribute : node.attribute()) {
        if (attribute.has_g() && !addGraph(size, attribute.g(), callDepth))
          return std::nullopt;
        for (const GraphProto &graph : attribute.graphs())
          if (!addGraph(size, graph, callDepth))
            return std::nullopt;
      }
      add(total, size);
      if (total.nodes > maxNodes || total.graphDepth > maxGraphDepth) {
        problems.error(ImportStatus::unsupported, node,
                       "unfolds to more than " + Twine(maxNodes) +
                           " nodes, or to subgraphs nested more than " + Twine(maxGraphDepth) +
                           " deep");
        return std::nullopt;
      }
    }
    return total;
  }

private:
  static void add(Size &total, Size size) {
    total.nodes = SaturatingAdd(total.nodes, size.nodes);
    total.graphDepth = std::max(total.graphDepth, size.graphDepth);
    total.callDepth = std::max(total.callDepth, size.callDepth);
  }

  bool addGraph(Size &size, const GraphProto &graph, unsigned callDepth) {
    std::optional<Size> inner = measure(graph.node(), callDepth);
    if (!inner)
      return false;
    ++inner->graphDepth;
    add(size, *inner);
    return true;
  }

  std::optional<Size> measure(const FunctionProto &function, const NodeProto &call,
                              unsigned callDepth) {
    auto known = sizes.find(&function);
    if (known != sizes.end())
      return known->second;
    if (!open.insert(&function).second) {
      problems.error(ImportStatus::badFile, call,
                     "calls itself, directly or through others; functions must not be recursive");
      return std::nullopt;
    }
    std::optional<Size> size;
    if (callDepth < maxCallDepth)
      size = measure(function.node(), callDepth + 1);
    if (callDepth >= maxCallDepth || (size && ++size->callDepth > maxCallDepth)) {
      problems.error(ImportStatus::badFile, call,
                     "nests function calls more than " + Twine(maxCallDepth) +
                         " deep; inline some of them");
      return std::nullopt;
    }
    open.erase(&function);
    if (size)
      sizes[&function] = *size;
    return size;
  }

  Problems &problems;
  StringMap<const FunctionProto *> functions;
  DenseMap<const FunctionProto *, Size> sizes;
  DenseSet<const FunctionProto *> open; // being measured
};

} // namespace

namespace {

/// Writes the defaults of functions' attributes into the calls that leave them out,
/// which ONNX's inliner does not do.
class Defaults {
public:
  Defaults(ModelProto &model, Problems &problems) : problems(problems) {
    for (const FunctionProto &function : model.functions())
      functions.try_emplace(GetFunctionImplId(function), &function);
  }

  /// `caller` is the function that the nodes are the body of; null for the graph.
  void apply(google::protobuf::RepeatedPtrField<NodeProto> &nodes, const FunctionProto *caller) {
    for (NodeProto &node : nodes) {
      for (AttributeProto &attribute : *node.mutable_attribute()) {
        if (attribute.has_g())
          apply(*attribute.mutable_g()->mutable_node(), caller);
        for (GraphProto &graph : *attribute.mutable_graphs())
          apply(*graph.mutable_node(), caller);
      }
      auto callee = functions.find(GetCalleeId(node));
      if (callee != functions.end())
        for (const AttributeProto &standard : callee->second->attribute_proto())
          apply(node, standard, caller);
    }
  }

private:
  void apply(NodeProto &call, const AttributeProto &standard, const FunctionProto *caller) {
    for (const AttributeProto &given : call.attribute()) {
      if (given.name() != standard.name())
        continue;
      // Whether the caller's own attribute is there differs from call to call.
      if (!given.ref_attr_name().empty() && caller &&
          llvm::none_of(caller->attribute_proto(), [&](const AttributeProto &attribute) {
            return attribute.name() == given.ref_attr_name();
          }))
        problems.error(ImportStatus::unsupported, call,
                       "hands on the attribute '" + given.ref_attr_name() +
                           "', which has no default, for '" + given.name() +
                           "', which has one; give both the same default");
      return;
    }
    *call.add_attribute() = standard;
  }

  Problems &problems;
  StringMap<const FunctionProto *> functions;
};

} // namespace

bool inlineFunctions(ModelProto &model, Problems &problems) {
  if (model.functions().empty())
    return true;
  Defaults defaults(model, problems);
  defaults.apply(*model.mutable_graph()->mutable_node(), nullptr);
  for (FunctionProto &function : *model.mutable_functions())
    defaults.apply(*function.mutable_node(), &function);
  Unfolding unfolding(model, problems);
  if (problems.any() || !unfolding.measure(model.graph().node(), 0))
    return false;
  // Functions that nothing calls may still be recursive, which the inliner refuses.
  for (const FunctionProto &function : model.functions())
    if (!unfolding.measure(function.node(), 1))
      return false;
  try {
    // Bodies bring their own operator sets; of one that the model has as well, the
    // inliner converts the body to the model's version.
    std::map<std::string, int64_t> versions;
    for (const OperatorSetIdProto &opset : model.opset_import())
      versions[opset.domain()] = opset.version();
    for (const FunctionProto &function : model.functions())
      for (const OperatorSetIdProto &opset : function.opset_import())
        if (versions.try_emplace(opset.domain(), opset.version()).second)
          *model.add_opset_import() = opset;
    inliner::InlineLocalFunctions(model, /*convert_version=*/true);
  } catch (const std::exception &error) {
    problems.error(ImportStatus::badFile,
                   "has functions that cannot be inlined: " + StringRef(error.what()).trim());
    return false;
  }
  return true;
}

//===- Operators that ONNX defines as functions -----------------------------===//

namespace {

class Expander {
public:
  Expander(ModelProto &model, function_ref<bool(const NodeProto &)> expand)
      : model(model), expand(expand) {
    for (const OperatorSetIdProto &opset : model.opset_import())
      versions[opset.domain()] = int(opset.version());
  }

  /// Expands once, everywhere; true where anything was.
  bool round() {
    bool wanted = false;
    forEachGraph(*model.mutable_graph(), [&](GraphProto &graph) {
      wanted = wanted || llvm::any_of(graph.node(), expand);
    });
    if (!wanted)
      return false;
    expanded = 0;
    graph(*model.mutable_graph(), nullptr);
    return expanded != 0;
  }

private:
  struct TypeScope {
    const TypeScope *outer;
    StringMap<const TypeProto *> types;
    const TypeProto *find(StringRef name) const {
      auto at = types.find(name);
      return at != types.end() ? at->second : outer ? outer->find(name) : nullptr;
    }
  };

  void graph(GraphProto &graph, const TypeScope *outer) {
    TypeScope scope{outer, {}};
    for (auto *values : {&graph.value_info(), &graph.output(), &graph.input()})
      for (const ValueInfoProto &value : *values)
        if (value.has_type())
          scope.types[value.name()] = &value.type();
    // An initialiser's type is nowhere written down as one.
    std::vector<std::unique_ptr<TypeProto>> constants;
    for (const TensorProto &tensor : graph.initializer()) {
      auto type = std::make_unique<TypeProto>();
      type->mutable_tensor_type()->set_elem_type(tensor.data_type());
      type->mutable_tensor_type()->mutable_shape();
      for (int64_t dim : tensor.dims())
        type->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(dim);
      scope.types[tensor.name()] = type.get();
      constants.push_back(std::move(type));
    }

    // Nodes move by pointer: both fields are in the graph's arena.
    GraphProto *previous = google::protobuf::Arena::CreateMessage<GraphProto>(model.GetArena());
    previous->mutable_node()->Swap(graph.mutable_node());
    graph.mutable_node()->Reserve(previous->node_size());
    for (NodeProto &node : *previous->mutable_node()) {
      FunctionProto body;
      if (expand(node) && bodyOf(node, scope, body)) {
        ++expanded;
        append(graph, node, body);
        continue;
      }
      for (AttributeProto &attribute : *node.mutable_attribute()) {
        if (attribute.has_g())
          this->graph(*attribute.mutable_g(), &scope);
        for (GraphProto &inner : *attribute.mutable_graphs())
          this->graph(inner, &scope);
      }
      graph.add_node()->Swap(&node);
    }
  }

  bool bodyOf(const NodeProto &node, const TypeScope &scope, FunctionProto &body) {
    if (isOptimizer(node)) {
      makeOptimizerBody(node, body);
      return true;
    }
    int version = versions.at(node.domain());
    const OpSchema *schema = OpSchemaRegistry::Schema(node.op_type(), version, node.domain());
    if (!schema)
      return false;
    if (schema->HasFunction()) {
      if (const FunctionProto *function = schema->GetFunction(version)) {
        body = *function;
        return true;
      }
    }
    if (!schema->HasContextDependentFunction())
      return false;
    std::vector<TypeProto> types(node.input_size());
    for (int i = 0; i < node.input_size(); ++i)
      if (const TypeProto *type = scope.find(node.input(i)))
        types[i] = *type;
    try {
      return schema->BuildContextDependentFunction(FunctionBodyBuildContextImpl(node, types), body,
                                                   version);
    } catch (const std::exception &) {
      return false; // it needs a type that is not known
    }
  }

  /// Appends `body` to `graph` in place of `call`. Its inner names get a prefix that
  /// no other name begins with: the call's first result's, and a number.
  void append(GraphProto &graph, const NodeProto &call, FunctionProto &body) {
    // Attributes that the call leaves out have the function's defaults.
    NodeProto bound = call;
    for (const AttributeProto &attribute : body.attribute_proto())
      if (llvm::none_of(call.attribute(),
                        [&](const AttributeProto &a) { return a.name() == attribute.name(); }))
        *bound.add_attribute() = attribute;
    const OpSchema *schema =
        OpSchemaRegistry::Schema(call.op_type(), versions.at(call.domain()), call.domain());
    for (const auto &[name, attribute] : schema->attributes())
      if (attribute.default_value.has_name() &&
          llvm::none_of(bound.attribute(),
                        [&](const AttributeProto &a) { return a.name() == name; }))
        *bound.add_attribute() = attribute.default_value;
    ::onnx::internal::AttributeBinder::BindAttributes(bound, body);

    std::string prefix = call.name() + "/" + std::to_string(++serial) + "/";
    StringMap<std::string> names;
    for (int i = 0; i < body.input_size(); ++i)
      names[body.input(i)] = i < call.input_size() ? call.input(i) : "";
    for (int i = 0; i < body.output_size(); ++i)
      if (i < call.output_size() && !call.output(i).empty())
        names[body.output(i)] = call.output(i);
    for (auto [index, node] : llvm::enumerate(*body.mutable_node())) {
      if (node.name().empty())
        node.set_name(node.op_type() + "_" + std::to_string(index));
      rename(node, names, prefix);
      graph.add_node()->Swap(&node);
    }
    for (const OperatorSetIdProto &opset : body.opset_import())
      if (versions.try_emplace(opset.domain(), int(opset.version())).second)
        *model.add_opset_import() = opset;
  }

  static void rename(std::string &name, const StringMap<std::string> &names,
                     const std::string &prefix) {
    if (name.empty())
      return;
    auto at = names.find(name);
    name = at != names.end() ? at->second : prefix + name;
  }

  static void rename(NodeProto &node, const StringMap<std::string> &names,
                     const std::string &prefix) {
    node.set_name(prefix + node.name());
    for (std::string &input : *node.mutable_input())
      rename(input, names, prefix);
    for (std::string &output : *node.mutable_output())
      rename(output, names, prefix);
    for (AttributeProto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        rename(*attribute.mutable_g(), names, prefix);
      for (GraphProto &inner : *attribute.mutable_graphs())
        rename(inner, names, prefix);
    }
  }

  static void rename(GraphProto &graph, const StringMap<std::string> &names,
                     const std::string &prefix) {
    for (auto *values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
      for (ValueInfoProto &value : *values)
        rename(*value.mutable_name(), names, prefix);
    for (TensorProto &tensor : *graph.mutable_initializer())
      rename(*tensor.mutable_name(), names, prefix);
    for (NodeProto &node : *graph.mutable_node())
      rename(node, names, prefix);
  }

  ModelProto &model;
  function_ref<bool(const NodeProto &)> expand;
  std::map<std::string, int> versions;
  uint64_t expanded = 0;
  uint64_t serial = 0;
};

/// Types of all values as ONNX infers them, into value_info. What the model says
/// wrongly is dropped.
void inferTypes(ModelProto &model) {
  ShapeInferenceOptions options(/*check_type=*/false, /*strict_mode=*/0, /*data_prop=*/true);
  for (bool keepDeclared : {true, false}) {
    if (!keepDeclared)
      forEachGraph(*model.mutable_graph(), [](GraphProto &graph) { graph.clear_value_info(); });
    try {
      shape_inference::DataValueMap shapes;
      shape_inference::InferShapes(model, &schemasForInference(), options, &shapes);
      return;
    } catch (const std::exception &) {
      // Contradicts what is declared; the dialect's own inference reports what matters.
    }
  }
}

} // namespace

bool expandOperators(ModelProto &model, function_ref<bool(const NodeProto &)> expand,
                     Problems &problems) {
  // Bodies use operators that have bodies; ONNX nests them a few deep.
  constexpr unsigned maxRounds = 16;
  Expander expander(model, expand);
  inferTypes(model);
  for (unsigned i = 0; i < maxRounds && expander.round(); ++i)
    inferTypes(model);
  return !problems.any();
}

} // namespace burin::importer
