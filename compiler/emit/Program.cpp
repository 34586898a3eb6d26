// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Program.h"

#include "burin/abi.h"
#include "compiler/emit/MainPrograms.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"

using namespace mlir;

namespace burin {

uint32_t dtypeOf(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1: return BURIN_BOOL;
    case 2: return isUnsigned ? BURIN_U2 : BURIN_I2;
    case 4: return isUnsigned ? BURIN_U4 : BURIN_I4;
    case 8: return isUnsigned ? BURIN_U8 : BURIN_I8;
    case 16: return isUnsigned ? BURIN_U16 : BURIN_I16;
    case 32: return isUnsigned ? BURIN_U32 : BURIN_I32;
    case 64: return isUnsigned ? BURIN_U64 : BURIN_I64;
    default: return 0;
    }
  }
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? BURIN_C64 : BURIN_C128;
  return llvm::TypeSwitch<Type, uint32_t>(type)
      .Case<Float32Type>([](auto) { return BURIN_F32; })
      .Case<Float64Type>([](auto) { return BURIN_F64; })
      .Case<Float16Type>([](auto) { return BURIN_F16; })
      .Case<BFloat16Type>([](auto) { return BURIN_BF16; })
      .Case<Float8E4M3FNType>([](auto) { return BURIN_F8E4M3FN; })
      .Case<Float8E4M3FNUZType>([](auto) { return BURIN_F8E4M3FNUZ; })
      .Case<Float8E5M2Type>([](auto) { return BURIN_F8E5M2; })
      .Case<Float8E5M2FNUZType>([](auto) { return BURIN_F8E5M2FNUZ; })
      .Case<Float8E8M0FNUType>([](auto) { return BURIN_F8E8M0; })
      .Case<Float4E2M1FNType>([](auto) { return BURIN_F4E2M1; })
      .Case<onnx::StringType>([](auto) { return BURIN_STRING; })
      .Default([](Type) { return 0u; });
}

Operation *Level::kernel(StringRef launched) const {
  return SymbolTable::lookupSymbolIn(ModuleOp(kernels), (launched + suffix).str());
}

AffineMap Level::tasks(plan::LaunchOp launch) const {
  return kernel(launch.getKernel())->getAttrOfType<AffineMapAttr>("plan.tasks").getAffineMap();
}

namespace {

/// The tables of an artifact; constants of the module that the main programs are in.
class Tables : ProgramModule {
public:
  Tables(ModuleOp planned, ArrayRef<Level> levels, const ProgramSummary &summary,
         const ProgramOptions &options)
      : levels(levels), summary(summary), options(options), i32(b.getInt32Ty()),
        signature(planned) {}

  llvm::Expected<Object> build() {
    emit(emitMainPrograms(*this, signature, levels, options.modelName));
    return levels.front().target->emitModule(module);
  }

private:
  /// burin_tensor_info_abi.
  llvm::Constant *tensorInfo(const TensorSignature &tensor) {
    std::vector<llvm::Constant *> dimNames;
    for (const std::string &name : tensor.dimNames)
      dimNames.push_back(string(name));
    std::vector<uint64_t> shape(tensor.shape.begin(), tensor.shape.end());
    llvm::Constant *sizes = shape.empty()
                                ? llvm::ConstantPointerNull::get(ptr)
                                : global(llvm::ConstantDataArray::get(context, shape), "shape");
    return llvm::ConstantStruct::getAnon(
        {string(tensor.name), sizes, array(dimNames, "dims"), b.getInt64(tensor.maxBytes),
         b.getInt32(dtypeOf(tensor.element)), b.getInt32(uint32_t(shape.size()))});
  }

  llvm::Constant *rangeOf(plan::Interval range) {
    return llvm::ConstantStruct::getAnon(
        {b.getInt64(uint64_t(range.min)), b.getInt64(uint64_t(range.max))});
  }

  /// burin_variant_abi.
  llvm::Constant *variantInfo(unsigned v, const MainPrograms::Variant &code) {
    std::vector<llvm::Constant *> ranges;
    for (unsigned d = 0; d < signature.dims.size(); ++d)
      ranges.push_back(rangeOf(signature.range(d, v)));
    return llvm::ConstantStruct::getAnon({array(ranges, "ranges"), array(code.mains, "mains"),
                                          b.getInt64(summary.variants[v].activationBytes),
                                          code.sizes});
  }

  /// burin_batch_abi, or null.
  llvm::Constant *batchInfo() {
    if (!signature.batch)
      return llvm::ConstantPointerNull::get(ptr);
    std::vector<uint32_t> axes(signature.batch->axes.begin(), signature.batch->axes.end());
    return global(llvm::ConstantStruct::getAnon(
                      {global(llvm::ConstantDataArray::get(context, axes), "axes"),
                       b.getInt32(signature.batch->dim), b.getInt32(0)}),
                  "batch");
  }

  /// burin_state_abi.
  llvm::Constant *stateInfo(const StateSignature &state) {
    return llvm::ConstantStruct::getAnon(
        {tensorInfo(state), string(state.output), b.getInt64(state.offset),
         b.getInt32(uint32_t(state.axis)), b.getInt32(state.length), b.getInt32(state.next),
         b.getInt32(0)});
  }

  /// burin_shard_abi.
  llvm::Constant *shardInfo(const Shard &shard) {
    return llvm::ConstantStruct::getAnon(
        {string(shard.file), b.getInt64(shard.offset), b.getInt64(shard.bytes),
         b.getInt64(shard.headerBytes),
         global(llvm::ConstantDataArray::get(context, shard.crcs), "crcs"),
         llvm::ConstantDataArray::get(context, ArrayRef(shard.sha256))});
  }

  void emit(const MainPrograms &programs) {
    std::vector<llvm::Constant *> inputs, outputs, dims, variants, levelTable, shards, states;
    for (const StateSignature &state : signature.states)
      states.push_back(stateInfo(state));
    for (const Shard &shard : summary.shards)
      shards.push_back(shardInfo(shard));
    for (const TensorSignature &tensor : signature.inputs)
      inputs.push_back(tensorInfo(tensor));
    for (const TensorSignature &tensor : signature.outputs)
      outputs.push_back(tensorInfo(tensor));
    for (const Signature::Dim &dim : signature.dims)
      dims.push_back(llvm::ConstantStruct::getAnon({string(dim.name),
                                                    b.getInt64(uint64_t(dim.range.min)),
                                                    b.getInt64(uint64_t(dim.range.max)),
                                                    b.getInt32(dim.kind), b.getInt32(0)}));
    for (auto [v, code] : llvm::enumerate(programs.variants))
      variants.push_back(variantInfo(unsigned(v), code));
    for (const Level &level : levels)
      levelTable.push_back(llvm::ConstantStruct::getAnon(
          {string(level.target->name()), b.getInt64(level.target->features())}));
    auto elsewhere = [&](StringRef name) {
      auto *bytes = new llvm::GlobalVariable(module, b.getInt8Ty(), true,
                                             llvm::GlobalValue::ExternalLinkage, nullptr, name);
      bytes->setVisibility(llvm::GlobalValue::HiddenVisibility);
      return bytes;
    };

    llvm::Constant *null = llvm::ConstantPointerNull::get(ptr);
    llvm::Constant *program = llvm::ConstantStruct::getAnon(
        {b.getInt32(BURIN_ABI_VERSION), b.getInt32(sizeof(burin_program)),
         string(options.modelName), string(options.compiler),
         elsewhere(certificateSymbol),
         array(inputs, "inputs"), array(outputs, "outputs"), array(dims, "dims"),
         array(programs.sites, "sites"),
         summary.weightsBytes && shards.empty() ? static_cast<llvm::Constant *>(elsewhere("burin_weights")) : null,
         b.getInt64(summary.weightsBytes), b.getInt64(summary.scratchBytes),
         array(variants, "variants"), array(levelTable, "levels"), b.getInt32(inputs.size()),
         b.getInt32(outputs.size()), b.getInt32(dims.size()), b.getInt32(programs.sites.size()),
         b.getInt32(variants.size()), b.getInt32(levels.size()), batchInfo(),
         array(shards, "shards"), string(summary.weightsId), b.getInt32(shards.size()),
         b.getInt32(states.size()), array(states, "states"), b.getInt64(summary.stateBytes)});

    // burin_model: the runtime's functions in the table's order.
    std::vector<llvm::Constant *> table{b.getInt32(BURIN_ABI_VERSION),
                                        b.getInt32(sizeof(burin_model)),
                                        global(program, "program"), string(options.modelName)};
#define BURIN_SLOT(name) #name,
    for (const char *slot : {BURIN_MODEL_SLOTS(BURIN_SLOT)}) {
#undef BURIN_SLOT
      auto *function = llvm::Function::Create(llvm::FunctionType::get(i32, true),
                                              llvm::GlobalValue::ExternalLinkage,
                                              Twine("burin_rt_") + slot, module);
      function->setVisibility(llvm::GlobalValue::HiddenVisibility);
      table.push_back(function);
    }
    llvm::Constant *model = global(llvm::ConstantStruct::getAnon(table), "model");

    // The one exported symbol: const burin_model *burin_model_<name>(void).
    auto *getter = llvm::Function::Create(llvm::FunctionType::get(ptr, false),
                                          llvm::GlobalValue::ExternalLinkage,
                                          "burin_model_" + options.modelName, module);
    b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", getter));
    b.CreateRet(model);
  }

  ArrayRef<Level> levels;
  const ProgramSummary &summary;
  const ProgramOptions &options;
  llvm::IntegerType *i32;
  Signature signature;
};

} // namespace

llvm::Error checkTasks(ModuleOp planned, ArrayRef<Level> levels) {
  llvm::Error error = llvm::Error::success();
  for (auto main : planned.getOps<func::FuncOp>()) {
    plan::ModelSizes sizes(main);
    main.walk([&](plan::LaunchOp launch) {
      AffineMap extents = launch.getExtents().value_or(AffineMap());
      auto countTasks = [&](const Level &level) {
        uint64_t total = 1;
        for (AffineExpr count : level.tasks(launch).getResults()) {
          if (extents)
            count = count.replaceDims(extents.getResults());
          std::optional<plan::Interval> range = sizes.range(count);
          total = range ? llvm::SaturatingMultiply(total, uint64_t(std::max<int64_t>(range->max, 0)))
                        : UINT64_MAX;
        }
        return total;
      };
      if (llvm::all_of(levels, [&](const Level &level) { return countTasks(level) <= UINT32_MAX; }))
        return WalkResult::advance();
      error = llvm::joinErrors(
          std::move(error),
          llvm::createStringError("node '" + plan::nodeName(launch.getLoc()) +
                                  "': its work would be cut into more than 2^32 tasks; narrow the "
                                  "range of --dim"));
      return WalkResult::interrupt();
    });
  }
  return error;
}

llvm::Expected<Object> emitText(const Target &target, StringRef symbol, StringRef text) {
  llvm::LLVMContext context;
  llvm::Module module(symbol, context);
  llvm::Constant *value = llvm::ConstantDataArray::getString(context, text);
  auto *global = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                          llvm::GlobalValue::ExternalLinkage, value, symbol);
  global->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return target.emitModule(module);
}

llvm::Expected<Object> emitProgram(ModuleOp planned, ArrayRef<Level> levels,
                                   const ProgramSummary &summary, const ProgramOptions &options) {
  return Tables(planned, levels, summary, options).build();
}

} // namespace burin
