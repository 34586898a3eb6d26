// SPDX-License-Identifier: Apache-2.0
//
// --dim and --input: symbolic sizes become numbers, in every type of the model.

#include "compiler/import/Model.h"
#include "compiler/import/Tensors.h"
#include "dialects/onnx/SizeExpr.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;
using namespace ::onnx;

namespace dialect = burin::onnx;

namespace burin::importer {
namespace {

class Sizes {
public:
  Sizes(const ImportOptions &options, Problems &problems) : options(options), problems(problems) {
    for (const auto &[name, spec] : options.dims)
      if (spec.isFixed())
        fixed[name] = spec.min;
  }

  /// Applies a shape given for a graph input; its names are fixed from then on.
  void setShape(ValueInfoProto &input, ArrayRef<GivenSize> shape) {
    if (!input.type().has_tensor_type()) {
      fail(input, "is no tensor and takes no shape");
      return;
    }
    TypeProto::Tensor &type = *input.mutable_type()->mutable_tensor_type();
    if (!type.has_shape()) {
      for (const GivenSize &size : shape)
        set(*type.mutable_shape()->add_dim(), size);
      problems.report.dimNames[input.name()].resize(shape.size());
      return;
    }
    if (size_t(type.shape().dim_size()) != shape.size()) {
      fail(input, "has rank " + Twine(type.shape().dim_size()) + ", but --input gives " +
                      Twine(shape.size()) + " sizes");
      return;
    }
    for (auto [index, size] : llvm::enumerate(shape)) {
      if (size.number < 0 && size.name.empty())
        continue;
      auto &dim = *type.mutable_shape()->mutable_dim(int(index));
      std::string text = size.number < 0 ? size.name : std::to_string(size.number);
      if (dim.has_dim_value() && dim.dim_value() >= 0 && dim.dim_value() != size.number)
        fail(input, "has the size " + Twine(dim.dim_value()) + " in dimension " + Twine(index) +
                        ", but --input gives " + text +
                        "; only sizes that the model leaves open can be given");
      if (namesDim(dim.dim_param())) {
        const std::string &written = dim.dim_param();
        // In "2*h" for the model's h, h is the name of another size: the one that --dim fixes.
        bool isReused = size.number < 0 && is_contained(dialect::SizeExpr::parse(text).names(), written);
        auto [at, added] = given.try_emplace(written, text);
        std::string elsewhere = at->second;
        if (auto number = fixed.find(written); added && !isReused && number != fixed.end())
          elsewhere = std::to_string(number->second);
        if (elsewhere != text)
          fail(input, "gets the size " + text + " for '" + written + "', which is given as " +
                          elsewhere + " elsewhere");
        if (size.number >= 0)
          fixed.try_emplace(written, size.number);
        else
          renamed.try_emplace(written, text);
      }
      set(dim, size);
    }
  }

  static void set(TensorShapeProto::Dimension &dim, const GivenSize &size) {
    if (size.number >= 0)
      dim.set_dim_value(size.number);
    else if (!size.name.empty())
      dim.set_dim_param(size.name);
  }

  /// What --input calls a size, or the model.
  std::string nameOf(const std::string &written) const {
    auto at = renamed.find(written);
    return at == renamed.end() ? written : at->second;
  }

  void apply(TypeProto &type) {
    switch (type.value_case()) {
    case TypeProto::kTensorType:
      if (type.tensor_type().has_shape())
        for (auto &dim : *type.mutable_tensor_type()->mutable_shape()->mutable_dim())
          if (namesDim(dim.dim_param()))
            apply(dim);
      return;
    case TypeProto::kSequenceType:
      return apply(*type.mutable_sequence_type()->mutable_elem_type());
    case TypeProto::kOptionalType:
      return apply(*type.mutable_optional_type()->mutable_elem_type());
    default:
      return;
    }
  }

  /// A name, or an expression of names as exporters write them ("past + 1").
  void apply(TensorShapeProto::Dimension &dim) {
    dim.set_dim_param(nameOf(dim.dim_param()));
    const std::string written = dim.dim_param();
    if (auto at = fixed.find(written); at != fixed.end()) {
      dim.set_dim_value(at->second);
      return;
    }
    // Where --dim gives the whole of an expression a range, it is a name of its own.
    auto size = options.dims.count(written) ? dialect::SizeExpr::name(written)
                                            : dialect::SizeExpr::parse(written);
    auto known = size.evaluated([&](StringRef name) -> std::optional<int64_t> {
      auto at = fixed.find(name);
      return at == fixed.end() ? std::nullopt : std::optional(at->second);
    });
    if (!known)
      return;
    std::optional<int64_t> number = known->constant();
    if (number && *number < 0)
      problems.error(ImportStatus::badFile, "has the size '" + written + "', which --dim makes " +
                                                Twine(*number));
    else if (number)
      dim.set_dim_value(*number);
    else
      dim.set_dim_param(known->text());
  }

  void apply(GraphProto &graph) {
    for (auto *values :
         {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
      for (ValueInfoProto &value : *values)
        if (value.has_type())
          apply(*value.mutable_type());
  }

private:
  void fail(const ValueInfoProto &input, const Twine &message) {
    problems.error(ImportStatus::badFile, "input '" + input.name() + "' " + message);
  }

  StringMap<int64_t> fixed;
  StringMap<std::string> given;   // what --input says of the model's names, as it says it
  StringMap<std::string> renamed; // where that is no number
  const ImportOptions &options;
  Problems &problems;
};

} // namespace

/// Every name of --dim must be one of the inputs' sizes: a misspelt one would change nothing.
static void checkNames(const GraphProto &graph, const ImportOptions &options,
                       std::vector<std::string> whole, Problems &problems) {
  std::vector<std::string> known;
  for (const std::string &written : whole)
    for (const std::string &name : dialect::SizeExpr::parse(written).names())
      if (!is_contained(known, name))
        known.push_back(name);
  for (const ValueInfoProto &input : graph.input())
    for (const auto &dim : input.type().tensor_type().shape().dim())
      if (namesDim(dim.dim_param())) {
        whole.push_back(dim.dim_param());
        for (const std::string &name : dialect::SizeExpr::parse(dim.dim_param()).names())
          if (!is_contained(known, name))
            known.push_back(name);
      }
  for (const auto &[name, spec] : options.dims)
    if (!is_contained(known, name) && !is_contained(whole, name))
      problems.error(ImportStatus::badFile, "has no size '" + name + "' for --dim; the sizes that "
                                            "its inputs leave open are: " +
                                                (known.empty() ? "none" : join(known, ", ")));
}

bool applySizes(ModelProto &model, const ImportOptions &options, Problems &problems) {
  Sizes sizes(options, problems);
  GraphProto &graph = *model.mutable_graph();
  std::vector<std::string> known; // as the model has them, whatever --input calls them
  for (const ValueInfoProto &input : graph.input())
    for (const auto &dim : input.type().tensor_type().shape().dim())
      if (namesDim(dim.dim_param()))
        known.push_back(dim.dim_param());
  for (const auto *values : {&graph.input(), &graph.output()})
    for (const ValueInfoProto &value : *values)
      for (const auto &dim : value.type().tensor_type().shape().dim())
        problems.report.dimNames[value.name()].push_back(namesDim(dim.dim_param()) ? dim.dim_param()
                                                                                   : "");
  for (const auto &[name, shape] : options.inputShapes) {
    auto input = llvm::find_if(*graph.mutable_input(),
                               [&](const ValueInfoProto &value) { return value.name() == name; });
    if (input != graph.mutable_input()->end()) {
      sizes.setShape(*input, shape);
      continue;
    }
    std::string names;
    for (const ValueInfoProto &value : graph.input())
      names += (names.empty() ? "" : ", ") + value.name();
    problems.error(ImportStatus::badFile,
                   "has no input '" + name + "' for --input; its inputs are: " + names);
  }
  for (const auto *values : {&graph.input(), &graph.output()})
    for (const ValueInfoProto &value : *values)
      for (auto [name, dim] : llvm::zip(problems.report.dimNames[value.name()],
                                        value.type().tensor_type().shape().dim()))
        if (namesDim(dim.dim_param()))
          name = sizes.nameOf(dim.dim_param());
  checkNames(graph, options, known, problems);
  forEachGraph(graph, [&](GraphProto &each) { sizes.apply(each); });
  return !problems.any();
}

} // namespace burin::importer
