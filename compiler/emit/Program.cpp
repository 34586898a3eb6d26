// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Program.h"

#include "burin/abi.h"
#include "compiler/plan/Sizes.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

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

namespace {

/// The dynamic sizes that an artifact tells of: the model's dims, then those sizes of outputs
/// that are computed from them.
struct ProgramDims {
  struct Entry {
    std::string name;
    AffineExpr value; // over the model's dims
    plan::Interval range;
  };

  explicit ProgramDims(func::FuncOp main) : sizes(main) {
    auto module = main->getParentOfType<ModuleOp>();
    if (auto dims = module->getAttrOfType<ArrayAttr>(plan::dimsAttrName))
      for (auto range : dims.getAsRange<plan::RangeAttr>())
        entries.push_back({range.getName().str(),
                           getAffineSymbolExpr(entries.size(), main.getContext()),
                           {range.getMin(), range.getMax()}});
    for (Value result : main.getBody().front().getTerminator()->getOperands())
      for (AffineExpr size : sizes.of(result))
        if (size && !isa<AffineConstantExpr>(size) && find(size) < 0) {
          std::string name;
          llvm::raw_string_ostream(name) << size;
          entries.push_back({name, size, sizes.range(size).value_or(plan::Interval{0, 0})});
        }
  }

  /// The position of a size, or -1.
  int64_t find(AffineExpr size) const {
    auto at = llvm::find_if(entries, [&](const Entry &entry) { return entry.value == size; });
    return at == entries.end() ? -1 : at - entries.begin();
  }

  plan::ModelSizes sizes;
  std::vector<Entry> entries;
};

} // namespace

ProgramSummary summarize(ModuleOp planned, ModuleOp kernels) {
  ProgramSummary summary;
  auto number = [](Operation *op, StringRef name) -> uint64_t {
    auto attr = op->getAttrOfType<IntegerAttr>(name);
    return attr ? uint64_t(attr.getInt()) : 0;
  };
  // The runtime rounds each part up to its alignment.
  summary.activationBytes = llvm::alignTo(number(planned, "plan.arena_bytes"), 64);
  summary.liveBytes = number(planned, "plan.live_bytes");
  summary.weightsBytes = number(planned, "plan.weights_bytes");
  planned.walk([&](plan::LaunchOp) { ++summary.launches; });
  for (Operation &op : kernels.getBody()->getOperations())
    if (op.hasAttr("plan.kernel")) {
      ++summary.kernels;
      summary.scratchBytes = std::max(summary.scratchBytes, number(&op, "plan.scratch_bytes"));
    }
  summary.scratchBytes = llvm::alignTo(summary.scratchBytes, 64);
  if (auto main = planned.lookupSymbol<func::FuncOp>("main"))
    summary.bookkeepingBytes = burin_bookkeeping_bytes(
        main.getNumArguments(), main.getNumResults(), uint32_t(ProgramDims(main).entries.size()));
  return summary;
}

namespace {

/// The first node name in a location.
std::string nodeName(Location loc) {
  std::string name;
  loc->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name;
}

AffineMap tasksOf(plan::LaunchOp launch, ModuleOp kernels) {
  return kernels.lookupSymbol(launch.getKernel())
      ->getAttrOfType<AffineMapAttr>("plan.tasks")
      .getAffineMap();
}

class Builder {
public:
  Builder(ModuleOp planned, ModuleOp kernels, const Target &target, const ProgramOptions &options)
      : planned(planned), kernels(kernels), target(target), options(options),
        module("program", context), b(context), ptr(b.getPtrTy()), i32(b.getInt32Ty()),
        i64(b.getInt64Ty()), main(planned.lookupSymbol<func::FuncOp>("main")), dims(main) {}

  llvm::Expected<Object> build() {
    llvm::Function *entry = emitMain();
    emitTables(entry);
    return target.emitModule(module);
  }

private:
  //===- The main program ---------------------------------------------------===//

  /// burin_frame's fields, in order.
  enum Field { Arena, Weights, Inputs, Outputs, Dims, Error, Launch, Context };

  AffineMap tasksOf(plan::LaunchOp launch) { return burin::tasksOf(launch, kernels); }

  /// Code for an expression over the model's dims (symbols) and `kernelDims`.
  llvm::Value *emit(AffineExpr expr, ArrayRef<llvm::Value *> kernelDims) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return b.getInt64(uint64_t(constant.getValue()));
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      return modelDims[symbol.getPosition()];
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return kernelDims[dim.getPosition()];
    auto binary = cast<AffineBinaryOpExpr>(expr);
    llvm::Value *x = emit(binary.getLHS(), kernelDims), *y = emit(binary.getRHS(), kernelDims);
    // Divisors are positive. The quotient is rounded down.
    auto floorDiv = [&](llvm::Value *from) {
      llvm::Value *isRoundedUp = b.CreateICmpSLT(b.CreateSRem(from, y), b.getInt64(0));
      return b.CreateSub(b.CreateSDiv(from, y), b.CreateZExt(isRoundedUp, i64));
    };
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      return b.CreateAdd(x, y);
    case AffineExprKind::Mul:
      return b.CreateMul(x, y);
    case AffineExprKind::FloorDiv:
      return floorDiv(x);
    case AffineExprKind::CeilDiv:
      return floorDiv(b.CreateAdd(x, b.CreateSub(y, b.getInt64(1))));
    case AffineExprKind::Mod:
      return b.CreateSub(x, b.CreateMul(floorDiv(x), y));
    default:
      llvm_unreachable("an affine expression is one of these");
    }
  }

  llvm::Function *emitMain() {
    auto *type = llvm::FunctionType::get(i32, {ptr}, false);
    auto *function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage,
                                            "main_" + options.modelName, module);
    b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
    llvm::Value *frame = function->getArg(0);
    auto *frameType = llvm::StructType::get(context, {ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr});
    for (unsigned field = 0; field < 8; ++field)
      fields.push_back(b.CreateLoad(ptr, b.CreateStructGEP(frameType, frame, field)));

    size_t widest = 1, mostExtents = 1;
    main.walk([&](plan::LaunchOp launch) {
      widest = std::max(widest, launch.getPlacesAttr().size());
      if (std::optional<AffineMap> map = launch.getExtents())
        mostExtents = std::max<size_t>(mostExtents, map->getNumResults());
    });
    for (unsigned i = 0; i < dims.sizes.count(); ++i)
      modelDims.push_back(b.CreateLoad(i64, b.CreateConstInBoundsGEP1_64(i64, fields[Dims], i)));
    // One set of argument structs, refilled for each launch.
    kargsType = llvm::StructType::get(context, {ptr, ptr, ptr});
    launchType = llvm::StructType::get(context, {ptr, ptr, i32, i32});
    buffers = b.CreateAlloca(llvm::ArrayType::get(ptr, widest));
    extents = b.CreateAlloca(llvm::ArrayType::get(i64, mostExtents));
    kargs = b.CreateAlloca(kargsType);
    launchArgs = b.CreateAlloca(launchType);
    b.CreateStore(buffers, b.CreateStructGEP(kargsType, kargs, 0));
    b.CreateStore(extents, b.CreateStructGEP(kargsType, kargs, 1));
    b.CreateStore(fields[Error], b.CreateStructGEP(kargsType, kargs, 2));
    b.CreateStore(kargs, b.CreateStructGEP(launchType, launchArgs, 1));

    auto *stop = llvm::BasicBlock::Create(context, "stop", function);
    std::vector<std::pair<llvm::Value *, llvm::BasicBlock *>> codes;
    for (auto launch : main.getBody().front().getOps<plan::LaunchOp>()) {
      llvm::Value *code = emitLaunch(launch);
      auto *next = llvm::BasicBlock::Create(context, "", function, stop);
      codes.push_back({code, b.GetInsertBlock()});
      b.CreateCondBr(b.CreateICmpEQ(code, b.getInt32(0)), next, stop);
      b.SetInsertPoint(next);
    }
    for (size_t i = modelDims.size(); i < dims.entries.size(); ++i)
      b.CreateStore(emit(dims.entries[i].value, {}),
                    b.CreateConstInBoundsGEP1_64(i64, fields[Dims], i));
    b.CreateRet(b.getInt32(0));
    b.SetInsertPoint(stop);
    if (codes.empty()) {
      b.CreateUnreachable();
    } else {
      auto *code = b.CreatePHI(i32, codes.size());
      for (auto [value, block] : codes)
        code->addIncoming(value, block);
      b.CreateRet(code);
    }
    return function;
  }

  llvm::Value *address(plan::PlaceAttr place) {
    switch (place.getStorage()) {
    case plan::Storage::Arena:
      return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), fields[Arena], place.getAt());
    case plan::Storage::Weights:
      return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), fields[Weights], place.getAt());
    case plan::Storage::Input:
      return b.CreateLoad(ptr, b.CreateConstInBoundsGEP1_64(ptr, fields[Inputs], place.getAt()));
    case plan::Storage::Output:
      return b.CreateLoad(ptr, b.CreateConstInBoundsGEP1_64(ptr, fields[Outputs], place.getAt()));
    }
    llvm_unreachable("a place is one of four kinds");
  }

  llvm::Value *emitLaunch(plan::LaunchOp launch) {
    for (auto [i, place] :
         llvm::enumerate(launch.getPlacesAttr().getAsRange<plan::PlaceAttr>()))
      b.CreateStore(address(place), b.CreateConstInBoundsGEP1_64(ptr, buffers, i));
    SmallVector<llvm::Value *> sizes;
    if (std::optional<AffineMap> map = launch.getExtents())
      for (AffineExpr expr : map->getResults()) {
        sizes.push_back(emit(expr, {}));
        b.CreateStore(sizes.back(),
                      b.CreateConstInBoundsGEP1_64(i64, extents, sizes.size() - 1));
      }
    llvm::Value *tasks = b.getInt64(1);
    for (AffineExpr count : tasksOf(launch).getResults())
      tasks = b.CreateMul(tasks, emit(count, sizes));
    tasks = b.CreateBinaryIntrinsic(llvm::Intrinsic::umax, tasks, b.getInt64(1));
    llvm::FunctionCallee function = module.getOrInsertFunction(
        launch.getKernel(), llvm::FunctionType::get(b.getVoidTy(), {ptr, i32, i32, ptr}, false));
    cast<llvm::Function>(function.getCallee())->setVisibility(llvm::GlobalValue::HiddenVisibility);
    b.CreateStore(function.getCallee(), b.CreateStructGEP(launchType, launchArgs, 0));
    b.CreateStore(b.CreateTrunc(tasks, i32), b.CreateStructGEP(launchType, launchArgs, 2));
    b.CreateStore(b.getInt32(nodeIndex(nodeName(launch.getLoc()))),
                  b.CreateStructGEP(launchType, launchArgs, 3));
    return b.CreateCall(llvm::FunctionType::get(i32, {ptr, ptr}, false), fields[Launch],
                        {fields[Context], launchArgs});
  }

  uint32_t nodeIndex(const std::string &name) {
    auto [it, inserted] = nodes.try_emplace(name, uint32_t(nodeNames.size()));
    if (inserted)
      nodeNames.push_back(string(name));
    return it->second;
  }

  //===- Tables -------------------------------------------------------------===//

  llvm::Constant *global(llvm::Constant *value, const Twine &name) {
    auto *made = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                          llvm::GlobalValue::PrivateLinkage, value, name);
    made->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return made;
  }

  llvm::Constant *string(StringRef text) {
    return global(llvm::ConstantDataArray::getString(context, text), "text");
  }

  llvm::Constant *pointers(ArrayRef<llvm::Constant *> values, const Twine &name) {
    if (values.empty())
      return llvm::ConstantPointerNull::get(ptr);
    return global(llvm::ConstantArray::get(llvm::ArrayType::get(ptr, values.size()), values), name);
  }

  /// burin_tensor_info_abi of one argument or result of @main.
  llvm::Constant *tensorInfo(Value tensor, DictionaryAttr attrs, const Twine &fallback) {
    auto named = dyn_cast_or_null<StringAttr>(attrs ? attrs.get("onnx.name") : Attribute());
    auto typed = dyn_cast_or_null<TypeAttr>(attrs ? attrs.get("onnx.type") : Attribute());
    auto type = cast<RankedTensorType>(tensor.getType());
    auto original = dyn_cast_or_null<RankedTensorType>(typed ? typed.getValue() : Type(type));
    auto nameList = dyn_cast_if_present<onnx::DimsAttr>(original.getEncoding());
    uint64_t bytes = dims.sizes.maxBytes(tensor).value_or(0); // the planner has seen to it
    std::vector<llvm::Constant *> dimNames;
    std::vector<uint64_t> shape;
    for (auto [i, size] : llvm::enumerate(dims.sizes.of(tensor))) {
      auto fixed = dyn_cast<AffineConstantExpr>(size);
      shape.push_back(uint64_t(fixed ? fixed.getValue() : -1 - dims.find(size)));
      dimNames.push_back(string(nameList ? nameList.getNames()[i].getValue() : ""));
    }
    llvm::Constant *sizes = shape.empty()
                                ? llvm::ConstantPointerNull::get(ptr)
                                : global(llvm::ConstantDataArray::get(context, shape), "shape");
    std::string name = named ? named.getValue().str() : fallback.str();
    return llvm::ConstantStruct::getAnon(
        {string(name), sizes, pointers(dimNames, "dims"), b.getInt64(bytes),
         b.getInt32(dtypeOf(original.getElementType())), b.getInt32(uint32_t(shape.size()))});
  }

  llvm::Constant *array(ArrayRef<llvm::Constant *> values, const Twine &name) {
    if (values.empty())
      return llvm::ConstantPointerNull::get(ptr);
    return global(llvm::ConstantArray::get(
                      llvm::ArrayType::get(values[0]->getType(), values.size()), values), name);
  }

  void emitTables(llvm::Function *entry) {
    std::vector<llvm::Constant *> inputs, outputs;
    for (auto [i, value] : llvm::enumerate(main.getArguments()))
      inputs.push_back(tensorInfo(value, main.getArgAttrDict(i), "input" + Twine(i)));
    for (auto [i, value] : llvm::enumerate(main.getBody().front().getTerminator()->getOperands()))
      outputs.push_back(tensorInfo(value, main.getResultAttrDict(i), "output" + Twine(i)));
    std::vector<llvm::Constant *> dimTable;
    for (const ProgramDims::Entry &entry : dims.entries)
      dimTable.push_back(llvm::ConstantStruct::getAnon({string(entry.name),
                                                        b.getInt64(uint64_t(entry.range.min)),
                                                        b.getInt64(uint64_t(entry.range.max))}));
    ProgramSummary summary = summarize(planned, kernels);
    auto *weights = new llvm::GlobalVariable(module, b.getInt8Ty(), true,
                                             llvm::GlobalValue::ExternalLinkage, nullptr,
                                             "burin_weights");
    weights->setVisibility(llvm::GlobalValue::HiddenVisibility);

    llvm::Constant *null = llvm::ConstantPointerNull::get(ptr);
    llvm::Constant *program = llvm::ConstantStruct::getAnon(
        {b.getInt32(BURIN_ABI_VERSION), b.getInt32(sizeof(burin_program)),
         string(options.modelName), string(options.compiler), string(target.name()),
         string(options.certificate), array(inputs, "inputs"), array(outputs, "outputs"),
         array(dimTable, "dims"), pointers(nodeNames, "nodes"),
         summary.weightsBytes ? static_cast<llvm::Constant *>(weights) : null,
         b.getInt64(summary.weightsBytes), b.getInt64(summary.activationBytes),
         b.getInt64(summary.scratchBytes), b.getInt32(inputs.size()),
         b.getInt32(outputs.size()), b.getInt32(dimTable.size()), b.getInt32(nodeNames.size()),
         b.getInt64(target.features()), entry});

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

  ModuleOp planned, kernels;
  const Target &target;
  const ProgramOptions &options;
  llvm::LLVMContext context;
  llvm::Module module;
  llvm::IRBuilder<> b;
  llvm::PointerType *ptr;
  llvm::IntegerType *i32, *i64;
  func::FuncOp main;
  ProgramDims dims;
  std::vector<llvm::Value *> fields;
  std::vector<llvm::Value *> modelDims; // their sizes in this run
  llvm::StructType *kargsType = nullptr, *launchType = nullptr;
  llvm::Value *buffers = nullptr, *extents = nullptr, *kargs = nullptr, *launchArgs = nullptr;
  llvm::StringMap<uint32_t> nodes;
  std::vector<llvm::Constant *> nodeNames;
};

} // namespace

llvm::Error checkTasks(ModuleOp planned, ModuleOp kernels) {
  auto main = planned.lookupSymbol<func::FuncOp>("main");
  plan::ModelSizes sizes(main);
  llvm::Error error = llvm::Error::success();
  main.walk([&](plan::LaunchOp launch) {
    AffineMap extents = launch.getExtents().value_or(AffineMap());
    uint64_t total = 1;
    for (AffineExpr count : tasksOf(launch, kernels).getResults()) {
      if (extents)
        count = count.replaceDims(extents.getResults());
      std::optional<plan::Interval> range = sizes.range(count);
      total = range ? llvm::SaturatingMultiply(total, uint64_t(std::max<int64_t>(range->max, 0)))
                    : UINT64_MAX;
    }
    if (total <= UINT32_MAX)
      return WalkResult::advance();
    error = llvm::joinErrors(
        std::move(error),
        llvm::createStringError("node '" + nodeName(launch.getLoc()) +
                                "': its work would be cut into more than 2^32 tasks; narrow the "
                                "range of --dim"));
    return WalkResult::interrupt();
  });
  return error;
}

llvm::Expected<Object> emitProgram(ModuleOp planned, ModuleOp kernels, const Target &target,
                                   const ProgramOptions &options) {
  return Builder(planned, kernels, target, options).build();
}

} // namespace burin
