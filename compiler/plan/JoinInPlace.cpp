// SPDX-License-Identifier: Apache-2.0
//
// What only moves data from one tensor to another need not run where both can lie in the same memory: see Passes.td. A
// tensor's place is told as a map of its dims to those of a larger one, so that parts of parts follow.
// What moves is found first, then taken on one by one, each time with a look at the kernels that would work on
// strided memory by then.

#include "compiler/group/Copies.h"
#include "compiler/group/Group.h"
#include "compiler/group/Parts.h"
#include "compiler/plan/Buffers.h"
#include "compiler/plan/InPlace.h"
#include "compiler/plan/NewKernels.h"
#include "compiler/plan/SplitPads.h"
#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_JOININPLACE
#include "compiler/transforms/Passes.h.inc"

namespace {

constexpr int64_t leastRun = 16; // elements of a part side by side: a cache line of f32
constexpr unsigned mostLevels = 64; // of parts of parts

/// A tensor's place in another: which dim of that each of its dims walks, none where it has size 1, and
/// where it begins.
struct Place {
  SmallVector<std::optional<unsigned>> dims;
  SmallVector<int64_t> begin;

  bool operator==(const Place &other) const = default;
  static Place identity(int64_t rank) {
    Place place;
    for (int64_t d = 0; d < rank; ++d)
      place.dims.push_back(unsigned(d));
    place.begin.assign(rank, 0);
    return place;
  }
  /// Of what lies so in a tensor that lies at `outer` in a third.
  Place in(const Place &outer) const {
    Place made{{}, outer.begin};
    for (std::optional<unsigned> dim : dims)
      made.dims.push_back(dim ? outer.dims[*dim] : std::nullopt);
    for (auto [dim, at] : llvm::zip_equal(outer.dims, begin))
      if (dim)
        made.begin[*dim] += at;
    return made;
  }
};

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The place of a reshape's result in its operand, where it adds and drops dims of size 1 alone; `inverse`: of the operand in
/// the result.
std::optional<Place> placeOfView(Operation *view, bool inverse) {
  SmallVector<ReassociationIndices> groups;
  bool expands = isa<tensor::ExpandShapeOp>(view);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(view))
    groups = expand.getReassociationIndices();
  else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(view))
    groups = collapse.getReassociationIndices();
  else
    return std::nullopt;
  RankedTensorType many = typeOf(expands ? view->getResult(0) : view->getOperand(0));
  RankedTensorType few = typeOf(expands ? view->getOperand(0) : view->getResult(0));
  if (!many.hasStaticShape() || !few.hasStaticShape() || groups.size() != size_t(few.getRank()))
    return std::nullopt;
  Place fewInMany{{}, SmallVector<int64_t>(many.getRank(), 0)}, manyInFew = Place{};
  manyInFew.dims.assign(many.getRank(), std::nullopt);
  manyInFew.begin.assign(few.getRank(), 0);
  for (auto [d, group] : llvm::enumerate(groups)) {
    std::optional<unsigned> wide;
    for (int64_t m : group) {
      if (many.getDimSize(m) == 1)
        continue;
      if (wide)
        return std::nullopt;
      wide = unsigned(m);
      manyInFew.dims[m] = unsigned(d);
    }
    fewInMany.dims.push_back(wide);
  }
  return expands == inverse ? fewInMany : manyInFew;
}

/// What `kernel` cuts out of its only input: the place of its result in there.
std::optional<Place> placeOfSlice(func::FuncOp kernel) {
  auto only = dyn_cast_or_null<linalg::GenericOp>(onlyOp(kernel));
  if (!only)
    return std::nullopt;
  group::Copy copy = group::copyOf(only);
  auto result = cast<RankedTensorType>(only->getResultTypes()[0]);
  if (!copy || copy.source != kernel.getArgument(0) || !copy.type().hasStaticShape() || !result.hasStaticShape() ||
      result.getNumElements() == copy.type().getNumElements())
    return std::nullopt;
  Place place{SmallVector<std::optional<unsigned>>(result.getRank()), {}};
  unsigned last = 0;
  for (auto [dim, expr] : llvm::enumerate(copy.reads.getResults())) {
    group::Place at = *group::placeOf(expr);
    place.begin.push_back(at.offset);
    if (!at.loop)
      continue;
    if (*at.loop < last)
      return std::nullopt; // turned
    last = *at.loop;
    place.dims[*at.loop] = unsigned(dim);
  }
  return place;
}

/// Where `kernel` puts each of its inputs, if it does nothing else: the offsets in its result. Empty where it does.
SmallVector<SmallVector<int64_t>> placesOfParts(func::FuncOp kernel) {
  Block &body = kernel.getBody().front();
  unsigned inputs = kernel.getNumArguments() - 1;
  ValueRange returned = body.getTerminator()->getOperands();
  if (returned.size() != 1)
    return {};
  SmallVector<group::Part> parts = group::partsOf(returned[0], kernel.getArgument(inputs));
  if (parts.size() != inputs || llvm::range_size(body.without_terminator()) != inputs)
    return {};
  SmallVector<SmallVector<int64_t>> places(inputs);
  int64_t elements = 0;
  for (group::Part &part : parts) {
    auto source = dyn_cast<BlockArgument>(part.source);
    if (!source || source.getArgNumber() >= inputs || !places[source.getArgNumber()].empty())
      return {};
    places[source.getArgNumber()] = std::move(part.offsets);
    elements += typeOf(source).getNumElements();
  }
  return elements == typeOf(returned[0]).getNumElements() ? places : SmallVector<SmallVector<int64_t>>();
}

/// Whether the kernel works on strided memory in place of argument `at`.
bool takesStrides(func::FuncOp kernel, unsigned at) {
  if (!kernel || kernel.isDeclaration() || kernel.getNumResults() != 1)
    return false;
  unsigned result = 0; // the arguments: inputs, the result, dims
  for (Type type : kernel.getArgumentTypes())
    result += isa<RankedTensorType>(type);
  if (at + 1 == result) {
    Operation *def = kernel.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
    if (!isa_and_nonnull<linalg::LinalgOp, kern::ContractOp>(def))
      return false;
  }
  return llvm::all_of(kernel.getArgument(at).getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto contract = dyn_cast<kern::ContractOp>(user))
      return use.get() != contract.getB();
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(user))
      return use == insert.getSourceMutable();
    if (isa<tensor::ExtractOp>(user))
      return isa<linalg::GenericOp>(user->getParentOp());
    return isa<linalg::LinalgOp>(user);
  });
}

/// Kernels that have been made, for all main programs.
struct Clones {
  DenseMap<std::pair<StringAttr, ArrayAttr>, StringAttr> strided; // by the dense one's name and its arguments' strides
  DenseMap<Type, func::FuncOp> copies;
};

class Joiner {
public:
  Joiner(func::FuncOp main, ModuleOp kernels, Clones &clones)
      : main(main), kernels(kernels), clones(clones), outside(writtenOutside(main)) {
    launches.assign(main.getBody().front().getOps<plan::LaunchOp>().begin(),
                    main.getBody().front().getOps<plan::LaunchOp>().end());
    for (auto kernel : kernels.getOps<func::FuncOp>())
      named[kernel.getSymNameAttr()] = kernel;
    // Also what is kept as a state's next value, and read when all have run.
    for (Value value : main.getBody().front().getTerminator()->getOperands())
      outside.insert(group::dataOf(value));
    for (auto measure : main.getBody().front().getOps<plan::MeasureOp>())
      outside.insert(group::dataOf(measure.getCount()));
  }

  void run() {
    for (plan::LaunchOp launch : launches)
      trySlice(launch);
    for (plan::LaunchOp launch : launches)
      tryJoin(launch);
    rewrite();
  }

private:
  struct Spot {
    Value whole;
    Place place;
  };
  struct Join {
    plan::LaunchOp launch;
    SmallVector<SmallVector<int64_t>> offsets; // of its inputs
    SmallVector<Value> parts;                  // of them and the results they are slices of: what lies in it
    SmallVector<unsigned> copied;              // inputs that do not
  };

  func::FuncOp kernelOf(plan::LaunchOp launch) {
    return named.lookup(launch.getKernelAttr().getAttr());
  }

  /// Tensors that can lie apart in memory.
  static bool hasPlace(Value value) {
    return typeOf(value).hasStaticShape() && !llvm::is_contained(typeOf(value).getShape(), 0);
  }

  /// Whether it is a launch's only result, of known sizes, whole bytes each, that lies in the arena.
  bool isMovable(Value data) {
    auto launch = data.getDefiningOp<plan::LaunchOp>();
    Type element = typeOf(data).getElementType();
    return launch && launch.getNumResults() == 1 && launch.getStates().empty() && !outside.count(data) &&
           hasPlace(data) && element.isIntOrFloat() && element.getIntOrFloatBitWidth() % 8 == 0;
  }

  //===- Places -------------------------------------------------------------===//

  /// The outermost tensor in whose memory `value` lies, and where; itself, if that is no other's. Nothing where it
  /// lies in another in a way that no map of dims tells.
  std::optional<Spot> resolve(Value value) {
    Operation *def = value.getDefiningOp();
    if (def && group::isView(def)) {
      std::optional<Spot> spot = resolve(def->getOperand(0));
      if (!spot)
        return std::nullopt;
      if (spot->whole == def->getOperand(0)) // of what is dense
        return Spot{value, Place::identity(typeOf(value).getRank())};
      std::optional<Place> view = placeOfView(def, /*inverse=*/false);
      if (!view)
        return std::nullopt;
      return Spot{spot->whole, view->in(spot->place)};
    }
    auto known = spots.find(value);
    if (known == spots.end())
      return Spot{value, Place::identity(typeOf(value).getRank())};
    std::optional<Spot> outer = resolve(known->second.whole);
    if (!outer)
      return std::nullopt;
    return Spot{outer->whole, known->second.place.in(outer->place)};
  }

  struct Strides {
    int64_t offset = 0, span = 1;
    SmallVector<int64_t> of;
    bool isDense = true;
  };
  static Strides stridesOf(Value value, const Spot &spot) {
    SmallVector<int64_t> outer = computeStrides(typeOf(spot.whole).getShape());
    ArrayRef<int64_t> shape = typeOf(value).getShape();
    Strides strides;
    for (auto [stride, at] : llvm::zip_equal(outer, spot.place.begin))
      strides.offset += stride * at;
    strides.of.assign(shape.size(), 1);
    for (size_t d = shape.size(); d-- > 0;) {
      if (spot.place.dims[d])
        strides.of[d] = outer[*spot.place.dims[d]];
      else if (d + 1 < shape.size()) // of size 1: as if it were dense
        strides.of[d] = strides.of[d + 1] * shape[d + 1];
      strides.span += (shape[d] - 1) * strides.of[d];
    }
    strides.isDense = strides.span == typeOf(value).getNumElements();
    return strides;
  }

  /// Whether each kernel can work on strided memory where `data`, whose place is new, makes its operands so. A launch
  /// that is replaced may become copies, which can.
  bool isValid(Value data) {
    SmallVector<Value> waiting{data};
    llvm::SmallDenseSet<Value> seen{data};
    auto look = [&](Value value) {
      if (seen.insert(value).second)
        waiting.push_back(value);
    };
    while (!waiting.empty()) {
      Value value = waiting.pop_back_val();
      if (auto launch = value.getDefiningOp<plan::LaunchOp>(); launch && !worksOnPlaces(launch))
        return false;
      for (Operation *user : value.getUsers()) {
        if (group::isView(user))
          look(user->getResult(0));
        auto launch = dyn_cast<plan::LaunchOp>(user);
        if (launch && !worksOnPlaces(launch))
          return false;
        if (launch && launch.getNumResults() == 1 && replaced.contains(launch))
          look(launch.getResult(0));
      }
      for (Value part : partsOf.lookup(value))
        look(part);
    }
    return true;
  }

  bool worksOnPlaces(plan::LaunchOp launch) {
    for (auto [i, value] : llvm::enumerate(llvm::concat<Value>(launch.getInputs(), launch.getResults()))) {
      if (!hasPlace(value))
        continue;
      std::optional<Spot> spot = resolve(value);
      if (!spot)
        return false;
      Strides strides = stridesOf(value, *spot);
      if (!strides.isDense && ((strides.of.back() != 1 && typeOf(value).getShape().back() != 1) ||
                               !(replaced.contains(launch) || takesStrides(kernelOf(launch), unsigned(i)))))
        return false;
    }
    return true;
  }

  //===- Slices and joins ---------------------------------------------------===//

  void trySlice(plan::LaunchOp launch) {
    func::FuncOp kernel = kernelOf(launch);
    if (launch.getInputs().size() != 1 || launch.getNumResults() != 1 || !isMovable(launch.getResult(0)) || !kernel ||
        kernel.isDeclaration() || kernel.getNumArguments() != 2)
      return;
    Value source = launch.getInputs()[0];
    std::optional<Place> place = placeOfSlice(kernel);
    if (!place || !(isMovable(group::dataOf(source)) || spots.count(group::dataOf(source))))
      return;
    Value part = launch.getResult(0);
    unsigned level = levels.lookup(group::dataOf(source)) + 1;
    if (level > mostLevels)
      return;
    spots[part] = {source, *place};
    replaced.insert(launch);
    if (isValid(part) && hasRuns(part, *resolve(part))) {
      slices.insert(launch);
      levels[part] = level;
      return;
    }
    spots.erase(part);
    replaced.remove(launch);
  }

  /// Whether enough elements lie side by side.
  static bool hasRuns(Value value, const Spot &spot) {
    Strides strides = stridesOf(value, spot);
    ArrayRef<int64_t> shape = typeOf(value).getShape();
    int64_t run = 1;
    for (size_t d = shape.size(); d-- > 0 && strides.of[d] == run;)
      run *= shape[d];
    return run >= leastRun || run == typeOf(value).getNumElements();
  }

  /// The place in a whole of what lies at `place` there behind views: of the data under them.
  std::optional<Spot> placeUnder(Value value, Spot spot) {
    while (Operation *def = value.getDefiningOp()) {
      if (!group::isView(def))
        break;
      std::optional<Place> view = placeOfView(def, /*inverse=*/true);
      if (!view)
        return std::nullopt;
      spot.place = view->in(spot.place);
      value = def->getOperand(0);
    }
    return spot;
  }

  void tryJoin(plan::LaunchOp launch) {
    func::FuncOp kernel = kernelOf(launch);
    if (launch.getNumResults() != 1 || !isMovable(launch.getResult(0)) || !kernel || kernel.isDeclaration() ||
        !launch.getDims().empty() || launch.getInputs().size() < 2)
      return;
    Join join{launch, placesOfParts(kernel), {}, {}};
    if (join.offsets.empty())
      return;
    Value whole = launch.getResult(0);
    llvm::MapVector<Value, SmallVector<unsigned>> covered; // by inputs that are slices of it
    llvm::MapVector<Value, Spot> wanted;
    for (auto [i, input] : llvm::enumerate(launch.getInputs())) {
      Spot spot{whole, Place::identity(typeOf(whole).getRank())};
      spot.place.begin = join.offsets[i];
      std::optional<Spot> under = placeUnder(input, spot);
      Value data = group::dataOf(input);
      auto launched = data.getDefiningOp<plan::LaunchOp>();
      if (under && launched && slices.contains(launched)) {
        // What this is a slice of would lie around it.
        Spot slice = spots[data];
        Place around{SmallVector<std::optional<unsigned>>(typeOf(slice.whole).getRank()), under->place.begin};
        for (auto [own, outer] : llvm::zip_equal(slice.place.dims, under->place.dims))
          if (own && outer) {
            around.dims[*own] = *outer;
            around.begin[*outer] -= slice.place.begin[*own];
          }
        for (auto [size, dim] : llvm::zip_equal(typeOf(slice.whole).getShape(), around.dims))
          if (size != 1 && !dim)
            under.reset();
        if (under)
          under = placeUnder(slice.whole, {whole, around});
        data = group::dataOf(slice.whole);
      }
      if (!under || !isMovable(data) || spots.count(data) || data == whole || levels.lookup(data) >= mostLevels ||
          (wanted.count(data) && wanted[data].place != under->place)) {
        join.copied.push_back(unsigned(i));
        continue;
      }
      wanted.insert({data, *under});
      covered[data].push_back(unsigned(i));
    }
    replaced.insert(launch);
    for (auto &[data, inputs] : covered) {
      int64_t elements = 0;
      for (unsigned i : inputs)
        elements += typeOf(launch.getInputs()[i]).getNumElements();
      spots[data] = wanted[data];
      bool isFilled = data.getDefiningOp<plan::LaunchOp>().getInputs().empty(); // and costs little where it lies
      if (elements == typeOf(data).getNumElements() && (isFilled || hasRuns(data, wanted[data])) && isValid(data)) {
        join.parts.push_back(data);
        levels[whole] = std::max(levels[whole], levels.lookup(data) + 1);
        continue;
      }
      spots.erase(data);
      llvm::append_range(join.copied, inputs);
    }
    if (join.parts.empty()) {
      replaced.remove(launch);
      return;
    }
    llvm::sort(join.copied);
    partsOf[whole] = join.parts;
    joins.push_back(std::move(join));
  }

  //===- Rewriting ----------------------------------------------------------===//

  DenseI64ArrayAttr withinOf(OpBuilder &builder, Value value) {
    std::optional<Spot> spot = resolve(value);
    if (spot->whole == value)
      return {};
    Strides strides = stridesOf(value, *spot);
    return builder.getDenseI64ArrayAttr({strides.offset, strides.span});
  }

  /// The copy of a launch's kernel whose arguments are strided as its operands are.
  StringAttr stridedKernel(plan::LaunchOp launch, func::FuncOp kernel) {
    OpBuilder builder(kernel);
    SmallVector<Attribute> all;
    bool isStrided = false;
    for (Value value : llvm::concat<Value>(launch.getInputs(), launch.getResults())) {
      Strides strides = hasPlace(value) ? stridesOf(value, *resolve(value)) : Strides();
      isStrided |= !strides.isDense;
      all.push_back(strides.isDense ? Attribute(builder.getUnitAttr()) : builder.getDenseI64ArrayAttr(strides.of));
    }
    if (!isStrided)
      return kernel.getSymNameAttr();
    ArrayAttr key = builder.getArrayAttr(all);
    StringAttr &made = clones.strided[{kernel.getSymNameAttr(), key}];
    if (made)
      return made;
    builder.setInsertionPointAfter(kernel);
    auto clone = cast<func::FuncOp>(builder.clone(*kernel));
    clone.setName(newKernelName(kernels, kernel.getName() + "_s"));
    for (auto [i, attribute] : llvm::enumerate(all))
      if (!isa<UnitAttr>(attribute))
        clone.setArgAttr(unsigned(i), plan::stridesAttrName, attribute);
    return made = clone.getSymNameAttr();
  }

  /// A kernel that copies a tensor of `type`.
  func::FuncOp copyKernel(plan::LaunchOp launch, RankedTensorType type) {
    func::FuncOp &made = clones.copies[type];
    if (made)
      return made;
    OpBuilder builder(launch.getContext());
    made = beginKernel(builder, kernels, launch, "_c", {type, type});
    SmallVector<OpFoldResult> zeros(type.getRank(), builder.getIndexAttr(0)), ones(type.getRank(), builder.getIndexAttr(1));
    auto copy = tensor::InsertSliceOp::create(builder, launch.getLoc(), made.getArgument(0), made.getArgument(1), zeros,
                                              getAsIndexOpFoldResult(builder.getContext(), type.getShape()), ones);
    func::ReturnOp::create(builder, launch.getLoc(), copy.getResult());
    named[made.getSymNameAttr()] = made;
    return made;
  }

  void rewrite() {
    if (replaced.empty())
      return;
    // Copies of parts that lie elsewhere first, in front of the joins: they are launches like all others.
    for (Join &join : joins) {
      OpBuilder builder(join.launch);
      Value whole = join.launch.getResult(0);
      for (unsigned i : join.copied) {
        Value input = join.launch.getInputs()[i];
        func::FuncOp kernel = copyKernel(join.launch, typeOf(input));
        plan::LaunchOp copy = launchOf(builder, join.launch.getLoc(), kernel, input);
        Place place = Place::identity(typeOf(whole).getRank());
        place.begin = join.offsets[i];
        spots[copy.getResult(0)] = {whole, place};
        join.parts.push_back(copy.getResult(0));
        launches.push_back(copy);
      }
    }
    OpBuilder builder(main.getContext());
    for (plan::LaunchOp launch : launches) {
      if (replaced.contains(launch))
        continue;
      launch.setKernelAttr(FlatSymbolRefAttr::get(stridedKernel(launch, kernelOf(launch))));
      if (launch.getNumResults() == 1 && spots.count(launch.getResult(0)))
        launch->setAttr(plan::withinAttrName, withinOf(builder, launch.getResult(0)));
    }
    SmallVector<std::pair<plan::LaunchOp, Value>> made;
    for (Join &join : joins) {
      builder.setInsertionPoint(join.launch);
      Value whole = join.launch.getResult(0);
      made.push_back({join.launch, plan::JoinOp::create(builder, join.launch.getLoc(), whole.getType(), join.parts,
                                                        withinOf(builder, whole))});
    }
    for (plan::LaunchOp launch : slices) {
      builder.setInsertionPoint(launch);
      Value part = launch.getResult(0);
      made.push_back({launch, plan::PartOp::create(builder, launch.getLoc(), part.getType(),
                                                   group::dataOf(launch.getInputs()[0]), withinOf(builder, part))});
    }
    for (auto [launch, value] : made)
      launch.getResult(0).replaceAllUsesWith(value);
    for (auto [launch, value] : made) {
      launch.erase();
      if (value.use_empty())
        value.getDefiningOp()->erase();
    }
  }

  func::FuncOp main;
  ModuleOp kernels;
  Clones &clones;
  DenseMap<StringAttr, func::FuncOp> named; // kernels
  llvm::DenseSet<Value> outside;
  SmallVector<plan::LaunchOp> launches;
  DenseMap<Value, Spot> spots;              // of slices and of parts of joins
  llvm::SmallSetVector<Operation *, 8> replaced;
  llvm::SetVector<plan::LaunchOp> slices;
  std::vector<Join> joins;
  DenseMap<Value, SmallVector<Value>> partsOf; // by the whole
  DenseMap<Value, unsigned> levels;            // of parts in it, or that it is a part of
};

struct JoinInPlace : impl::JoinInPlaceBase<JoinInPlace> {
  void runOnOperation() override {
    auto kernels = getOperation().lookupSymbol<ModuleOp>(plan::kernelModuleName);
    if (!kernels)
      return;
    Clones clones;
    SmallVector<func::FuncOp> mains(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp main : mains)
      if (!main.isDeclaration()) {
        splitPads(main, kernels);
        Joiner(main, kernels, clones).run();
      }
    // A kernel that no launch names is not compiled.
    llvm::DenseSet<StringAttr> used;
    getOperation().walk([&](plan::LaunchOp launch) { used.insert(launch.getKernelAttr().getAttr()); });
    for (auto kernel : llvm::make_early_inc_range(kernels.getOps<func::FuncOp>()))
      if (kernel->hasAttr("plan.kernel") && !used.contains(kernel.getSymNameAttr()))
        kernel.erase();
  }
};

} // namespace
} // namespace burin
