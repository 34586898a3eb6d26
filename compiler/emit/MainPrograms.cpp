// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/MainPrograms.h"

#include "burin/abi.h"
#include "compiler/plan/BoundThreads.h"
#include "compiler/plan/Buffers.h"
#include "dialects/plan/PlanOps.h"

using namespace mlir;

namespace burin {
namespace {

class Emitter {
public:
  Emitter(ProgramModule &program, Signature &signature, StringRef modelName)
      : program(program), signature(signature), modelName(modelName), context(program.context),
        b(program.b), ptr(program.ptr), i32(b.getInt32Ty()), i64(b.getInt64Ty()) {
    for (const TensorSignature &input : signature.inputs)
      for (int64_t size : input.shape)
        if (size < 0)
          givenSizes.try_emplace(unsigned(-1 - size), &input);
  }

  llvm::Function *emitMain(unsigned variant, const Level &level) {
    Signature::Variant &chosen = signature.variants[variant];
    func::FuncOp main = chosen.main;
    auto *type = llvm::FunctionType::get(i32, {ptr}, false);
    auto *function = llvm::Function::Create(
        type, llvm::GlobalValue::InternalLinkage,
        main.getName() + level.suffix + "_" + modelName, program.module);
    fields.clear();
    modelDims.assign(chosen.sizes.count(), nullptr);
    b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
    llvm::Value *frame = function->getArg(0);
    auto *frameType =
        llvm::StructType::get(context, SmallVector<llvm::Type *>(Field::Count, ptr));
    for (unsigned field = 0; field < Field::Count; ++field)
      fields.push_back(b.CreateLoad(ptr, b.CreateStructGEP(frameType, frame, field)));

    size_t widest = 1, mostExtents = 1;
    main.walk([&](plan::LaunchOp launch) {
      widest = std::max(widest, launch.getPlacesAttr().size());
      if (std::optional<AffineMap> map = launch.getExtents())
        mostExtents = std::max<size_t>(mostExtents, map->getNumResults());
    });
    for (unsigned d = 0; d < signature.namedDims; ++d)
      if (auto symbol = dyn_cast_or_null<AffineSymbolExpr>(signature.dims[d].values[variant]))
        modelDims[symbol.getPosition()] = emitDim(d, symbol, variant);
    // A set of argument structs for each launch of a group, refilled for the next.
    SmallVector<SmallVector<plan::LaunchOp, 1>> steps = stepsOf(main);
    size_t together = 1;
    for (ArrayRef<plan::LaunchOp> step : steps)
      together = std::max(together, step.size());
    kargsType = llvm::StructType::get(context, {ptr, ptr, ptr});
    launchType = llvm::StructType::get(context, {ptr, ptr, i32, i32, i32, i32});
    launchArgs = b.CreateAlloca(llvm::ArrayType::get(launchType, together));
    buffers.clear();
    extents.clear();
    for (size_t i = 0; i < together; ++i) {
      buffers.push_back(b.CreateAlloca(llvm::ArrayType::get(ptr, widest)));
      extents.push_back(b.CreateAlloca(llvm::ArrayType::get(i64, mostExtents)));
      llvm::Value *kargs = b.CreateAlloca(kargsType);
      b.CreateStore(buffers[i], b.CreateStructGEP(kargsType, kargs, 0));
      b.CreateStore(extents[i], b.CreateStructGEP(kargsType, kargs, 1));
      b.CreateStore(fields[Error], b.CreateStructGEP(kargsType, kargs, 2));
      b.CreateStore(kargs, launchField(i, 1));
      b.CreateStore(b.getInt32(0), launchField(i, 5));
    }

    stop = llvm::BasicBlock::Create(context, "stop", function);
    codes.clear();
    for (const auto &[d, input] : givenSizes)
      if (d >= signature.namedDims || !isa<AffineSymbolExpr>(signature.dims[d].values[variant]))
        emitAgreement(d, input, signature.dims[d].values[variant]);
    emitAgreements(main, chosen.sizes);
    runsAlone = emitIsShort(main, chosen.sizes);
    auto step = steps.begin();
    for (Operation &op : main.getBody().front()) {
      if (step != steps.end() && &op == step->front())
        emitStep(*step++, level, chosen.sizes);
      else if (auto measure = dyn_cast<plan::MeasureOp>(op))
        emitMeasure(measure, chosen.sizes);
    }
    emitCommits(main);
    emitComputed(variant, fields[Dims]);
    b.CreateRet(b.getInt32(0));
    b.SetInsertPoint(stop);
    if (codes.empty()) {
      b.CreateUnreachable();
    } else {
      auto *code = b.CreatePHI(i32, unsigned(codes.size()));
      for (auto [value, block] : codes)
        code->addIncoming(value, block);
      b.CreateRet(code);
    }
    return function;
  }
  /// burin_sizes_fn.
  llvm::Function *emitSizes(unsigned variant) {
    Signature::Variant &chosen = signature.variants[variant];
    auto *type = llvm::FunctionType::get(b.getVoidTy(), {ptr}, false);
    auto *function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage,
                                            chosen.main.getName() + "_sizes_" + modelName,
                                            program.module);
    b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
    llvm::Value *dims = function->getArg(0);
    modelDims.assign(chosen.sizes.count(), nullptr);
    for (unsigned d = 0; d < signature.namedDims; ++d)
      if (auto symbol = dyn_cast_or_null<AffineSymbolExpr>(signature.dims[d].values[variant]))
        modelDims[symbol.getPosition()] =
            b.CreateLoad(i64, b.CreateConstInBoundsGEP1_64(i64, dims, d));
    // What the data decide is at its most.
    for (auto [i, dim] : llvm::enumerate(modelDims))
      if (!dim)
        dim = b.getInt64(uint64_t(
            chosen.sizes.range(getAffineSymbolExpr(unsigned(i), chosen.main.getContext()))->max));
    emitComputed(variant, dims);
    b.CreateRetVoid();
    return function;
  }

  std::vector<llvm::Constant *> sites; // burin_site_abi

private:
  /// burin_frame's fields, in order.
  enum Field { Arena, Weights, Inputs, Outputs, Dims, Error, Launch, Context, States, Count };

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


  /// Stores the dims that are computed from others.
  void emitComputed(unsigned variant, llvm::Value *dims) {
    for (size_t d = signature.namedDims; d < signature.dims.size(); ++d)
      b.CreateStore(emit(signature.dims[d].values[variant], {}),
                    b.CreateConstInBoundsGEP1_64(i64, dims, d));
  }

  llvm::Value *dimPlace(unsigned dim) {
    return b.CreateConstInBoundsGEP1_64(i64, fields[Dims], dim);
  }

  /// A named dim: as an input or a state has it, or solved from one that has a multiple of it and a constant
  /// ("2 * batch", "past + 1"); emitAgreement sees to the rest.
  llvm::Value *emitDim(unsigned dim, AffineSymbolExpr symbol, unsigned variant) {
    for (const auto &[d, input] : givenSizes) {
      AffineExpr expr = signature.dims[d].values[variant];
      if (givenSizes.count(dim) || d == dim || !expr || signature.dims[dim].kind == BURIN_DIM_LENGTH)
        continue;
      auto at = [&](int64_t value) {
        AffineExpr with = expr.replace(symbol, getAffineConstantExpr(value, expr.getContext()));
        return dyn_cast<AffineConstantExpr>(simplifyAffineExpr(with, 0, symbol.getPosition() + 1));
      };
      AffineConstantExpr none = at(0), one = at(1);
      if (!none || !one || one.getValue() <= none.getValue())
        continue;
      int64_t factor = one.getValue() - none.getValue();
      AffineExpr line = AffineExpr(symbol) * factor + none.getValue();
      if (simplifyAffineExpr(expr - line, 0, symbol.getPosition() + 1) != 0)
        continue;
      llvm::Value *rest = b.CreateSub(b.CreateLoad(i64, dimPlace(d)), b.getInt64(none.getValue()));
      llvm::Value *value = b.CreateSDiv(rest, b.getInt64(factor));
      b.CreateStore(value, dimPlace(dim));
      return value;
    }
    return b.CreateLoad(i64, dimPlace(dim));
  }

  llvm::BasicBlock *newBlock(const Twine &name = "") {
    return llvm::BasicBlock::Create(context, name, stop->getParent(), stop);
  }

  /// An input's size is what the other sizes say.
  void emitAgreement(unsigned dim, const TensorSignature *input, AffineExpr expr) {
    llvm::Value *size = b.CreateLoad(i64, dimPlace(dim));
    auto [at, isNew] = inputSites.try_emplace(dim, uint32_t(sites.size()));
    if (isNew)
      addSite("", input->name, signature.dims[dim].name);
    emitCheck(b.CreateICmpEQ(size, emit(expr, {})), at->second, size);
  }

  /// Sizes that the main program takes for one are equal.
  void emitAgreements(func::FuncOp main, const plan::ModelSizes &sizes) {
    auto agreements = main->getAttrOfType<ArrayAttr>(plan::agreementsAttrName);
    if (!agreements)
      return;
    for (auto one : agreements.getAsRange<ArrayAttr>()) {
      auto [at, isNew] = agreementSites.try_emplace(one, uint32_t(this->sites.size()));
      if (isNew)
        addSite("=", cast<StringAttr>(one[2]),
                plan::textOf(one[0]) + "' and '" + plan::textOf(one[1]));
      // The message has the value of what is no number.
      llvm::Value *first = emit(sizes.of(one[0]), {}), *second = emit(sizes.of(one[1]), {});
      emitCheck(b.CreateICmpEQ(first, second), at->second,
                isa<IntegerAttr>(one[0]) ? second : first);
    }
  }

  /// Goes on where a size is as it should be, else fills the error word and goes to `stop`.
  void emitCheck(llvm::Value *isRight, uint32_t site, llvm::Value *size) {
    llvm::BasicBlock *next = newBlock(), *wrong = newBlock("wrong");
    b.CreateCondBr(isRight, next, wrong);
    b.SetInsertPoint(wrong);
    llvm::Value *values[] = {b.getInt32(BURIN_SHAPE_MISMATCH), b.getInt32(site), size};
    for (auto [field, value] : llvm::enumerate(values))
      b.CreateStore(value, errorField(unsigned(field)));
    end(values[0]);
    b.SetInsertPoint(next);
  }

  /// Goes to `stop` with a status.
  void end(llvm::Value *code) {
    codes.push_back({code, b.GetInsertBlock()});
    b.CreateBr(stop);
  }

  /// Of burin_error_word.
  llvm::Value *errorField(unsigned field) {
    return b.CreateStructGEP(llvm::StructType::get(context, {i32, i32, i64}), fields[Error], field);
  }

  llvm::Value *address(plan::PlaceAttr place) {
    switch (place.getStorage()) {
    case plan::Storage::Arena:
      return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), fields[Arena], place.getAt());
    case plan::Storage::Weights:
      return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), fields[Weights], place.getAt());
    case plan::Storage::State:
      return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), fields[States], place.getAt());
    case plan::Storage::Input:
      return b.CreateLoad(ptr, b.CreateConstInBoundsGEP1_64(ptr, fields[Inputs], place.getAt()));
    case plan::Storage::Output:
      return b.CreateLoad(ptr, b.CreateConstInBoundsGEP1_64(ptr, fields[Outputs], place.getAt()));
    }
    llvm_unreachable("a place is one of five kinds");
  }

  /// All launches have succeeded: the next values of states take the place of the old ones.
  void emitCommits(func::FuncOp main) {
    auto commits = main->getAttrOfType<ArrayAttr>(plan::commitsAttrName);
    if (!commits)
      return;
    for (auto pair : commits.getAsRange<ArrayAttr>()) {
      auto from = cast<plan::PlaceAttr>(pair[0]), to = cast<plan::PlaceAttr>(pair[1]);
      // A caller's tensor need not be aligned.
      b.CreateMemCpy(address(to), llvm::Align(1), address(from), llvm::Align(1), to.getBytes());
    }
  }

  /// A launch, or those of a group.
  void emitStep(ArrayRef<plan::LaunchOp> step, const Level &level, const plan::ModelSizes &sizes) {
    // Sites are in the order of the program. Launches of the longest tasks come first: others even out what those leave.
    SmallVector<std::pair<uint32_t, plan::LaunchOp>> byWeight;
    for (plan::LaunchOp launch : step) {
      siteIndex(launch, launch.getKernel());
      byWeight.push_back({weightOf(launch, level, sizes), launch});
    }
    llvm::stable_sort(byWeight, [](const auto &x, const auto &y) { return x.first > y.first; });
    for (auto [i, one] : llvm::enumerate(byWeight))
      fillLaunch(i, one.second, one.first, level);
    llvm::Value *code = b.CreateCall(llvm::FunctionType::get(i32, {ptr, ptr, i32}, false), fields[Launch],
                                     {fields[Context], launchArgs, b.getInt32(uint32_t(step.size()))});
    llvm::BasicBlock *next = newBlock(), *failed = newBlock("failed");
    b.CreateCondBr(b.CreateICmpEQ(code, b.getInt32(0)), next, failed);
    b.SetInsertPoint(failed);
    if (std::optional<uint32_t> first = step.size() == 1 ? faultSites(step.front()) : std::nullopt) {
      // What a kernel blames one of its nodes for has the node's number, and a bit that says so.
      llvm::Value *site = b.CreateLoad(i32, errorField(1));
      llvm::Value *ofNode = b.CreateAdd(b.CreateAnd(site, b.getInt32(~plan::faultBit)), b.getInt32(*first));
      b.CreateStore(b.CreateSelect(b.CreateICmpSLT(site, b.getInt32(0)), ofNode, site), errorField(1));
    }
    end(code);
    b.SetInsertPoint(next);
  }

  /// The i-th burin_launch of a step.
  void fillLaunch(size_t i, plan::LaunchOp launch, uint32_t weight, const Level &level) {
    for (auto [at, place] : llvm::enumerate(launch.getPlacesAttr().getAsRange<plan::PlaceAttr>()))
      b.CreateStore(address(place), b.CreateConstInBoundsGEP1_64(ptr, buffers[i], at));
    SmallVector<llvm::Value *> sizes;
    if (std::optional<AffineMap> map = launch.getExtents())
      for (AffineExpr expr : map->getResults()) {
        sizes.push_back(emit(expr, {}));
        b.CreateStore(sizes.back(), b.CreateConstInBoundsGEP1_64(i64, extents[i], sizes.size() - 1));
      }
    b.CreateStore(kernelOf(launch, level), launchField(i, 0));
    b.CreateStore(emitTasks(level.tasks(launch), sizes), launchField(i, 2));
    b.CreateStore(b.getInt32(siteIndex(launch, launch.getKernel())), launchField(i, 3));
    b.CreateStore(b.CreateSelect(runsAlone, b.getInt32(0), b.getInt32(weight)), launchField(i, 4));
  }

  /// burin_launch.weight where not all of a run is on one thread.
  uint32_t weightOf(plan::LaunchOp launch, const Level &level, const plan::ModelSizes &sizes) {
    if (launch->hasAttr(plan::aloneAttrName))
      return 0;
    auto all = launch->getAttrOfType<IntegerAttr>(plan::nanosecondsAttrName);
    if (!all)
      return 1;
    SmallVector<AffineExpr> told;
    if (std::optional<AffineMap> map = launch.getExtents())
      llvm::append_range(told, map->getResults());
    double tasks = 1;
    for (AffineExpr count : level.tasks(launch).getResults())
      if (std::optional<plan::Interval> range = sizes.range(count.replaceDims(told)))
        tasks *= double(std::max<int64_t>(range->max, 1));
    return uint32_t(std::clamp(double(all.getInt()) / tasks, 1.0, 4e9));
  }

  llvm::Value *launchField(size_t i, unsigned field) {
    return b.CreateStructGEP(launchType, b.CreateConstInBoundsGEP1_64(launchType, launchArgs, i), field);
  }

  /// burin_kernel_fn.
  llvm::Function *kernelOf(plan::LaunchOp launch, const Level &level) {
    llvm::FunctionCallee function = program.module.getOrInsertFunction(
        (launch.getKernel() + level.suffix).str(),
        llvm::FunctionType::get(b.getVoidTy(), {ptr, i32, i32, ptr}, false));
    auto *kernel = cast<llvm::Function>(function.getCallee());
    kernel->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return kernel;
  }

  /// How many tasks a kernel has that is told `sizes`.
  llvm::Value *emitTasks(AffineMap counts, ArrayRef<llvm::Value *> sizes) {
    llvm::Value *tasks = b.getInt64(1);
    for (AffineExpr count : counts.getResults())
      tasks = b.CreateMul(tasks, emit(count, sizes));
    tasks = b.CreateBinaryIntrinsic(llvm::Intrinsic::umax, tasks, b.getInt64(1));
    return b.CreateTrunc(tasks, i32);
  }

  /// Whether this run is too short for more than one thread.
  llvm::Value *emitIsShort(func::FuncOp main, const plan::ModelSizes &sizes) {
    auto upTo = main->getAttrOfType<DenseI64ArrayAttr>(plan::aloneUpToAttrName);
    if (!upTo)
      return b.getFalse();
    llvm::Value *isShort = b.getTrue();
    for (auto [i, most] : llvm::enumerate(upTo.asArrayRef()))
      if (most < sizes.range(getAffineSymbolExpr(unsigned(i), main.getContext()))->max)
        isShort = b.CreateAnd(isShort, b.CreateICmpSLE(modelDims[i], b.getInt64(uint64_t(most))));
    return isShort;
  }

  /// A size that the data decide, in its range.
  void emitMeasure(plan::MeasureOp measure, plan::ModelSizes &sizes) {
    auto symbol = cast<AffineSymbolExpr>(sizes.ofIndex(measure.getResult()));
    plan::Interval range = sizes.range(symbol).value();
    llvm::Value *size = b.CreateLoad(i64, address(*measure.getPlace()));
    modelDims[symbol.getPosition()] = size;
    emitCheck(b.CreateAnd(b.CreateICmpSGE(size, b.getInt64(uint64_t(range.min))),
                          b.CreateICmpSLE(size, b.getInt64(uint64_t(range.max)))),
              siteIndex(measure, "measure"), size);
  }

  /// The place of what runs `kernel` in the table of sites, which the levels share.
  uint32_t siteIndex(Operation *op, StringRef kernel) {
    auto [it, inserted] = siteOf.try_emplace(op, uint32_t(sites.size()));
    if (inserted)
      addSite(kernel, plan::nodeName(op->getLoc()), namesOfSome(op->getLoc()));
    return it->second;
  }

  /// Sites of the nodes that a launch's kernel may blame, one after the other: the first.
  std::optional<uint32_t> faultSites(plan::LaunchOp launch) {
    auto nodes = launch->getAttrOfType<ArrayAttr>(plan::faultsAttrName);
    if (!nodes)
      return std::nullopt;
    auto [it, inserted] = faultsOf.try_emplace(launch, uint32_t(sites.size()));
    if (inserted)
      for (auto node : nodes.getAsRange<StringAttr>())
        addSite(launch.getKernel(), node.getValue(), node.getValue());
    return it->second;
  }

  void addSite(StringRef kernel, StringRef node, StringRef nodes) {
    sites.push_back(llvm::ConstantStruct::getAnon(
        {program.string(kernel), program.string(node), program.string(nodes)}));
  }

  /// "conv_1, relu_2": the names of a launch's nodes, of more than a few the first.
  static std::string namesOfSome(Location loc) {
    constexpr size_t few = 6;
    SmallVector<StringRef> names = plan::nodeNames(loc);
    std::string text = llvm::join(ArrayRef(names).take_front(few), ", ");
    return names.size() > few ? text + ", ..." : text;
  }

  ProgramModule &program;
  Signature &signature;
  StringRef modelName;
  llvm::LLVMContext &context;
  llvm::IRBuilder<> &b;
  llvm::PointerType *ptr;
  llvm::IntegerType *i32, *i64;
  std::map<unsigned, const TensorSignature *> givenSizes; // dims of inputs, and the first that has each
  std::vector<llvm::Value *> fields;
  std::vector<llvm::Value *> modelDims; // of one main program: their sizes in this run
  llvm::StructType *kargsType = nullptr, *launchType = nullptr;
  llvm::Value *launchArgs = nullptr; // of the launches of a step
  SmallVector<llvm::Value *> buffers, extents; // of each
  llvm::Value *runsAlone = nullptr; // of one main program: whether no launch of this run wakes a worker
  llvm::BasicBlock *stop = nullptr; // of one main program: its end where something is wrong
  std::vector<std::pair<llvm::Value *, llvm::BasicBlock *>> codes; // what it ends with, from where
  DenseMap<Operation *, uint32_t> siteOf, faultsOf;
  std::map<unsigned, uint32_t> inputSites; // of the dims that are compared
  llvm::DenseMap<Attribute, uint32_t> agreementSites; // of plan.agreements
};

} // namespace

llvm::Constant *ProgramModule::global(llvm::Constant *value, const Twine &name) {
  auto *made = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                        llvm::GlobalValue::PrivateLinkage, value, name);
  made->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return made;
}

llvm::Constant *ProgramModule::string(StringRef text) {
  return global(llvm::ConstantDataArray::getString(context, text), "text");
}

llvm::Constant *ProgramModule::array(ArrayRef<llvm::Constant *> values, const Twine &name) {
  if (values.empty())
    return llvm::ConstantPointerNull::get(ptr);
  return global(llvm::ConstantArray::get(
                    llvm::ArrayType::get(values[0]->getType(), values.size()), values), name);
}

MainPrograms emitMainPrograms(ProgramModule &program, Signature &signature, ArrayRef<Level> levels,
                              StringRef modelName) {
  Emitter emitter(program, signature, modelName);
  MainPrograms result;
  for (unsigned v = 0; v < signature.variants.size(); ++v) {
    MainPrograms::Variant variant;
    for (const Level &level : levels)
      variant.mains.push_back(emitter.emitMain(v, level));
    variant.sizes = emitter.emitSizes(v);
    result.variants.push_back(std::move(variant));
  }
  result.sites = std::move(emitter.sites);
  return result;
}

} // namespace burin
