// SPDX-License-Identifier: Apache-2.0
//
// The typed header of a model: its sizes as constants, its entry points as inline functions
// whose parameters are the model's tensors, by name and with their C types. C11 and C++11.

#include "compiler/emit/Artifact.h"
#include "compiler/emit/Program.h"

#include "burin/abi.h"
#include "compiler/emit/Signature.h"
#include "llvm/Support/JSON.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace burin {
namespace {

/// C's name of an element's storage. C has none for the small floats: their bits. A complex
/// element is two.
const char *cType(uint32_t dtype) {
  switch (dtype) {
  case BURIN_F32: case BURIN_C64: return "float";
  case BURIN_F64: case BURIN_C128: return "double";
  case BURIN_I8: case BURIN_I4: case BURIN_I2: return "int8_t";
  case BURIN_I16: return "int16_t";
  case BURIN_U16: case BURIN_F16: case BURIN_BF16: return "uint16_t";
  case BURIN_I32: return "int32_t";
  case BURIN_U32: return "uint32_t";
  case BURIN_I64: return "int64_t";
  case BURIN_U64: return "uint64_t";
  default: return "uint8_t";
  }
}

const char *dtypeName(uint32_t dtype) {
  static const char *const names[] = {
      "0", "F32", "U8", "I8", "U16", "I16", "I32", "I64", "STRING", "BOOL", "F16", "F64", "U32",
      "U64", "C64", "C128", "BF16", "F8E4M3FN", "F8E4M3FNUZ", "F8E5M2", "F8E5M2FNUZ", "U4", "I4",
      "F4E2M1", "F8E8M0", "U2", "I2"};
  return dtype < std::size(names) ? names[dtype] : "0";
}

/// Identifiers for names that a model chose: lower case, so that no macro of the C library is
/// among them, and no two the same.
class Identifiers {
public:
  explicit Identifiers(unsigned inputs) {
    for (unsigned i = 0; i < inputs; ++i)
      taken.insert("shape" + std::to_string(i));
    // Words of C11, C++20 and POSIX's headers, and the generated functions' own variables.
    for (StringRef word :
         {"alignas", "alignof", "and", "and_eq", "asm", "assert", "auto", "bitand", "bitor", "bool",
          "break", "case", "catch", "char", "char16_t", "char32_t", "char8_t", "class", "co_await",
          "co_return", "co_yield", "compl", "complex", "concept", "const", "const_cast",
          "consteval", "constexpr", "constinit", "context", "continue", "decltype", "default",
          "delete", "do", "double", "dynamic_cast", "else", "enum", "errno", "explicit", "export",
          "extern", "false", "float", "for", "friend", "goto", "if", "inline", "inputs", "int",
          "int16_t", "int32_t", "int64_t", "int8_t", "linux", "long", "main", "mutable",
          "namespace", "new", "noexcept", "noreturn", "not", "not_eq", "nullptr", "operator", "or",
          "or_eq", "outputs", "private", "protected", "public", "register", "reinterpret_cast",
          "requires", "restrict", "return", "short", "signed", "sizeof", "sizes", "static", "static_assert",
          "static_cast", "stderr", "stdin", "stdout", "struct", "switch", "template", "this",
          "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "uint16_t",
          "uint32_t", "uint64_t", "uint8_t", "union", "unix", "unsigned", "using", "virtual",
          "void", "volatile", "wchar_t", "while", "xor", "xor_eq"})
      taken.insert(word);
  }

  void reserve(ArrayRef<StringRef> words) { taken.insert_range(words); }

  std::string take(StringRef name, StringRef fallback) {
    std::string base;
    for (char c : name.empty() ? fallback : name)
      base += llvm::isAlnum(c) ? char(llvm::toLower(c)) : '_';
    // A leading underscore is the C library's, a double one C++'s, the prefix ours.
    if (!llvm::isAlpha(base.front()) || StringRef(base).starts_with("burin_"))
      base.insert(0, fallback.take_front(1).str() + "_");
    for (size_t at; (at = base.find("__")) != std::string::npos;)
      base.erase(at, 1);
    std::string result = base;
    for (unsigned next = 2; !taken.insert(result).second; ++next)
      result = base + (base.back() == '_' ? "" : "_") + std::to_string(next);
    return result;
  }

private:
  llvm::StringSet<> taken;
};

/// Where a size comes from, for a comment.
const char *originOf(burin_dim_kind kind) {
  switch (kind) {
  case BURIN_DIM_FREE: return "given with each run";
  case BURIN_DIM_LENGTH: return "how far a state is filled";
  case BURIN_DIM_COMPUTED: return "computed from the others";
  case BURIN_DIM_DATA: return "what the data of a run decide";
  }
  return "";
}

/// Text for a comment: printable, and not its end.
std::string comment(StringRef text) {
  std::string result;
  for (char c : text)
    result += c == '/' || c == '\\' || c == '?' || !llvm::isPrint(c) ? '_' : c;
  return result;
}

class HeaderWriter {
public:
  HeaderWriter(ModuleOp planned, StringRef modelName, const ProgramSummary &summary,
               llvm::raw_ostream &out)
      : name(modelName.str()), prefix(modelName.upper()), summary(summary), signature(planned),
        out(out), identifiers(unsigned(signature.inputs.size())) {
    for (const Signature::Dim &dim : ArrayRef(signature.dims).take_front(signature.namedDims))
      dims.push_back({dim.name, "", dim.range.min, dim.range.max, dim.kind});
    // Inputs choose their names first: what a caller gives comes before what it gets.
    for (auto [i, input] : llvm::enumerate(signature.inputs))
      inputs.push_back(tensor(input, "input" + std::to_string(i)));
    for (Dim &dim : dims)
      dim.identifier = identifiers.take(dim.name, "dim");
    for (auto [i, output] : llvm::enumerate(signature.outputs))
      outputs.push_back(tensor(output, "output" + std::to_string(i)));
    identifiers.reserve({"create", "destroy", "message", "reset", "run"}); // functions, as states are
    for (auto [i, state] : llvm::enumerate(signature.states))
      states.push_back(tensor(state, "state" + std::to_string(i)));
  }

  void write() {
    std::string guard = "BURIN_MODEL_" + prefix + "_H";
    out << "/* Made by burin " BURIN_VERSION ". What model \"" << name
        << "\" takes and gives; burin/burin.h says the rest. */\n"
        << "#ifndef " << guard << "\n#define " << guard << "\n\n#include \"burin/burin.h\"\n\n"
        << "#define " << prefix << "_ABI_VERSION " << BURIN_ABI_VERSION << "\n"
        << "#if BURIN_ABI_VERSION != " << prefix << "_ABI_VERSION\n"
        << "#error \"this model and burin/burin.h are of different versions: compile the model "
           "again\"\n#endif\n\n";
    writeConstants();
    out << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
        << "/* The model itself: the table of all functions. */\n"
        << "const burin_model *burin_model_" << name << "(void);\n\n";
    writeCreate();
    writeRun();
    if (!states.empty())
      writeStates();
    out << "/* Why the last run failed, \"\" if it did not; valid until the next run. */\n"
        << "static inline const char *" << name << "_message(const burin_context *context) {\n"
        << "  return burin_model_" << name << "()->message(context);\n}\n\n"
        << "/* Ends a context that runs no request; the arena is the caller's again. */\n"
        << "static inline void " << name << "_destroy(burin_context *context) {\n"
        << "  burin_model_" << name << "()->destroy(context);\n}\n\n"
        << "#ifdef __cplusplus\n}\n#endif\n#endif\n";
  }

private:
  struct Dim {
    std::string name, identifier;
    int64_t min, max;
    burin_dim_kind kind;
  };
  struct Tensor {
    std::string name, identifier;
    uint32_t dtype;
    std::vector<int64_t> sizes; // -1 - d where it is dim d
    uint64_t elements; // at most
    bool isStatic;
  };

  Tensor tensor(const TensorSignature &from, const std::string &fallback) {
    Tensor result{from.name, identifiers.take(from.name, fallback), dtypeOf(from.element),
                  from.shape, 1, true};
    for (int64_t size : result.sizes) {
      // The planner has seen to it that this fits, unless one size is 0: then wrapping is fine.
      result.elements *= uint64_t(range(size).max);
      result.isStatic &= size >= 0;
    }
    return result;
  }

  /// The dim of the signature that a negative size is.
  const Signature::Dim &open(int64_t size) const { return signature.dims[size_t(-1 - size)]; }

  plan::Interval range(int64_t size) const {
    return size < 0 ? open(size).range : plan::Interval{size, size};
  }

  /// The dim that a size is and that others are computed from, or null.
  const Dim *dimOf(int64_t size) const {
    size_t d = size_t(-1 - size);
    return size < 0 && d < dims.size() ? &dims[d] : nullptr;
  }

  std::string macro(StringRef identifier) const { return prefix + "_" + identifier.upper(); }

  /// "float, [rows][5]"
  std::string describe(const Tensor &tensor) const {
    std::string text;
    llvm::raw_string_ostream stream(text);
    StringRef dtype = dtypeName(tensor.dtype);
    bool isComplex = tensor.dtype == BURIN_C64 || tensor.dtype == BURIN_C128;
    stream << dtype.lower() << (isComplex ? " (real, imaginary)" : "");
    for (auto [i, size] : llvm::enumerate(tensor.sizes)) {
      stream << (i ? "" : " ");
      if (const Dim *dim = dimOf(size))
        stream << "[" << dim->identifier << "]";
      else if (size >= 0)
        stream << "[" << size << "]";
      else if (open(size).kind == BURIN_DIM_COMPUTED)
        stream << "[" << comment(open(size).name) << "]";
      else
        stream << "[" << range(size).min << " to " << range(size).max << "]";
    }
    return text;
  }

  void writeConstants() {
    out << "#define " << prefix << "_INPUTS " << inputs.size() << "\n"
        << "#define " << prefix << "_OUTPUTS " << outputs.size() << "\n"
        << "#define " << prefix << "_STATES " << states.size() << "\n\n"
        << "/* The arena of a context with one worker; each further worker adds the scratch. */\n"
        << "#define " << prefix << "_ARENA_BYTES " << summary.arenaBytes() << "ull\n"
        << "#define " << prefix << "_ARENA_ALIGNMENT 64\n"
        << "#define " << prefix << "_SCRATCH_BYTES " << summary.scratchBytes << "ull\n"
        << "#define " << prefix << "_WEIGHTS_BYTES " << summary.weightsBytes << "ull\n"
        << "/* Files of weights, which have to lie beside the program or at burin_options.weights_path. */\n"
        << "#define " << prefix << "_SHARDS " << summary.shards.size() << "\n";
    for (auto [i, shard] : llvm::enumerate(summary.shards))
      out << "#define " << prefix << "_SHARD_" << i << " "
          << llvm::json::Value(llvm::json::fixUTF8(shard.file)) << "\n";
    for (const Dim &dim : dims)
      out << "\n/* Size \"" << comment(dim.name) << "\", " << originOf(dim.kind) << ". */\n"
          << "#define " << macro(dim.identifier) << "_MIN " << dim.min << "\n"
          << "#define " << macro(dim.identifier) << "_MAX " << dim.max << "\n";
    for (const auto &[kind, list] : {std::pair("Input", &inputs), std::pair("Output", &outputs),
                                     std::pair("State", &states)})
      for (auto [i, tensor] : llvm::enumerate(*list)) {
        std::string own = macro(tensor.identifier);
        out << "\n/* " << kind << " " << i << ", \"" << comment(tensor.name)
            << "\": " << describe(tensor)
            << (tensor.isStatic ? "" : "; what follows is its largest") << ". */\n"
            << "#define " << own << "_INDEX " << i << "\n"
            << "#define " << own << "_DTYPE BURIN_" << dtypeName(tensor.dtype) << "\n"
            << "#define " << own << "_RANK " << tensor.sizes.size() << "\n";
        if (!tensor.sizes.empty()) {
          out << "#define " << own << "_SHAPE {";
          llvm::interleaveComma(tensor.sizes, out, [&](int64_t size) { out << range(size).max; });
          out << "}\n";
        }
        out << "#define " << own << "_ELEMENTS " << tensor.elements << "\n";
      }
  }

  /// Where each state lies, and how all begin anew.
  void writeStates() {
    for (auto [i, state] : llvm::enumerate(states)) {
      const StateSignature &from = signature.states[i];
      out << "/* What \"" << comment(from.output) << "\" leaves for the next run: " << describe(state)
          << ", dense";
      if (from.axis >= 0)
        out << ";\n * burin_model.state_data and state_set_length tell and set how far dimension "
            << from.axis << " is filled";
      out << ". */\n"
          << "static inline " << cType(state.dtype) << " *" << name << "_" << state.identifier
          << "(burin_context *context) {\n"
          << "  void *data = NULL;\n"
          << "  burin_model_" << name << "()->state_data(context, " << macro(state.identifier)
          << "_INDEX, &data, NULL);\n"
          << "  return (" << cType(state.dtype) << " *)data;\n}\n\n";
    }
    out << "/* All states as they were after " << name << "_create. */\n"
        << "static inline burin_status " << name << "_reset(burin_context *context) {\n"
        << "  return burin_model_" << name << "()->reset(context);\n}\n\n";
  }

  void writeCreate() {
    out << "/* Makes a context whose one worker is the calling thread in `arena`: " << prefix
        << "_ARENA_BYTES\n * bytes, aligned to " << prefix
        << "_ARENA_ALIGNMENT, that outlive it. A pool, a log and more workers:\n"
        << " * burin_model.create. */\n"
        << "static inline burin_status " << name
        << "_create(void *arena, burin_context **context) {\n"
        << "  burin_options options = BURIN_ZERO;\n"
        << "  options.arena = arena;\n"
        << "  options.arena_bytes = " << prefix << "_ARENA_BYTES;\n"
        << "  return burin_model_" << name << "()->create(burin_model_" << name
        << "(), &options, context);\n}\n\n";
  }

  void writeTensors(StringRef kind, const std::vector<Tensor> &tensors) {
    if (tensors.empty())
      return;
    out << "  const burin_tensor " << kind << "[] = {";
    for (auto [i, tensor] : llvm::enumerate(tensors)) {
      bool isInput = kind == "inputs", hasShape = isInput && !tensor.isStatic;
      out << (i ? ",\n      " : "\n      ") << "{" << (isInput ? "(void *)" : "")
          << tensor.identifier << ", 0, " << (hasShape ? "shape" + std::to_string(i) : "NULL")
          << ", " << (hasShape ? tensor.sizes.size() : 0) << ", " << macro(tensor.identifier)
          << "_DTYPE}";
    }
    out << "};\n";
  }

  /// Where an input has a size that the caller does not give: all sizes, computed.
  void writeSizes() {
    bool allGiven = llvm::all_of(inputs, [&](const Tensor &input) {
      return llvm::all_of(input.sizes, [&](int64_t size) {
        return size >= 0 || open(size).kind == BURIN_DIM_FREE;
      });
    });
    if (allGiven)
      return;
    out << "  int64_t sizes[" << signature.dims.size() << "] = {";
    llvm::interleaveComma(dims, out, [&](const Dim &dim) {
      out << (dim.kind == BURIN_DIM_FREE ? dim.identifier : "0");
    });
    out << "};\n";
    for (auto [i, state] : llvm::enumerate(signature.states))
      if (state.axis >= 0)
        out << "  burin_model_" << name << "()->state_data(context, " << i << ", NULL, &sizes["
            << state.length << "]);\n";
    // Where it fails, so does the run, which says why.
    out << "  (void)burin_model_" << name << "()->sizes(burin_model_" << name << "(), sizes);\n";
  }

  void writeRun() {
    std::vector<std::string> parameters{"burin_context *context"};
    for (const Dim &dim : dims)
      if (dim.kind == BURIN_DIM_FREE)
        parameters.push_back("int64_t " + dim.identifier);
    for (const Tensor &input : inputs)
      parameters.push_back(std::string("const ") + cType(input.dtype) + " *" + input.identifier);
    for (const Tensor &output : outputs)
      parameters.push_back(std::string(cType(output.dtype)) + " *" + output.identifier);

    out << "/* One request.\n";
    for (const auto *list : {&inputs, &outputs})
      for (const Tensor &tensor : *list)
        out << " *   " << tensor.identifier << "  " << describe(tensor) << "\n";
    out << " * Tensors are dense and row-major; no output overlaps another tensor. Fails with "
           "BURIN_BAD_ARGUMENT,\n * BURIN_BUSY, or what the data did wrong. */\n";
    std::string head = "static inline burin_status " + name + "_run(";
    out << head;
    size_t column = head.size();
    for (auto [i, parameter] : llvm::enumerate(parameters)) {
      if (i) {
        bool wraps = column + parameter.size() + 4 > 100;
        out << (wraps ? ",\n    " : ", ");
        column = wraps ? 4 : column + 2;
      }
      out << parameter;
      column += parameter.size();
    }
    out << ") {\n";
    writeSizes();
    for (auto [i, input] : llvm::enumerate(inputs)) {
      if (input.isStatic)
        continue;
      out << "  const int64_t shape" << i << "[] = {";
      llvm::interleaveComma(input.sizes, out, [&](int64_t size) {
        if (size >= 0)
          out << size;
        else if (open(size).kind == BURIN_DIM_FREE)
          out << dimOf(size)->identifier;
        else
          out << "sizes[" << -1 - size << "]";
      });
      out << "};\n";
    }
    writeTensors("inputs", inputs);
    writeTensors("outputs", outputs);
    out << "  return burin_model_" << name << "()->run(context, "
        << (inputs.empty() ? "NULL" : "inputs") << ", " << inputs.size() << ", "
        << (outputs.empty() ? "NULL" : "outputs") << ", " << outputs.size() << ");\n}\n\n";
  }

  std::string name, prefix;
  const ProgramSummary &summary;
  Signature signature;
  llvm::raw_ostream &out;
  Identifiers identifiers;
  std::vector<Dim> dims;
  std::vector<Tensor> inputs, outputs, states;
};

} // namespace

llvm::Error writeHeader(StringRef path, ModuleOp planned, StringRef modelName,
                        const ProgramSummary &summary) {
  return writeWhole(path, [&](llvm::raw_ostream &out) {
    HeaderWriter(planned, modelName, summary, out).write();
    return llvm::Error::success();
  });
}

} // namespace burin
