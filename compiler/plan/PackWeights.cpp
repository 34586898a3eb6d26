// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan/PackWeights.h"

#include "dialects/kern/Winograd.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;

namespace burin {

std::optional<uint64_t> packedBytes(plan::LayoutAttr layout, unsigned elementBytes) {
  int64_t bytes = layout.getBf16() ? 2 : elementBytes;
  for (int64_t size : layout.getShape())
    if (llvm::MulOverflow(bytes, size, bytes))
      return std::nullopt;
  return uint64_t(bytes);
}

namespace {

/// A walk over source dims: sizes and strides, outermost first, in elements.
struct Walk {
  SmallVector<int64_t> sizes, strides;

  int64_t count() const {
    int64_t product = 1;
    for (int64_t size : sizes)
      product *= size;
    return product;
  }

  /// Calls `visit(i, offset)` for each position i in row-major order.
  template <typename Visit> void forEach(Visit visit) const {
    SmallVector<int64_t> position(sizes.size(), 0);
    int64_t offset = 0;
    for (int64_t i = 0, e = count(); i < e; ++i) {
      visit(i, offset);
      for (size_t d = sizes.size(); d-- > 0;) {
        offset += strides[d];
        if (++position[d] < sizes[d])
          break;
        offset -= strides[d] * sizes[d];
        position[d] = 0;
      }
    }
  }
};

/// Elements as they are.
struct Copied {
  template <typename T> T operator()(T value) const { return value; }
};

/// The nearest bf16 of an f32, of two the even one; bits of both.
struct RoundedToBf16 {
  uint16_t operator()(uint32_t bits) const {
    if ((bits & 0x7fffffff) > 0x7f800000) // NaN stays one
      return uint16_t(bits >> 16 | 0x40);
    return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
};

/// Panels: for each leading position, panel and k, 16 columns, each made by `convert`.
template <typename T, typename To, typename Convert>
void pack(const T *source, To *out, Convert convert, const Walk &leading, int64_t columns, int64_t columnStride,
          const Walk &depth, int64_t panel) {
  int64_t panels = llvm::divideCeil(uint64_t(columns), uint64_t(panel)), k = depth.count();
  leading.forEach([&](int64_t group, int64_t at) {
    for (int64_t p = 0; p < panels; ++p) {
      const T *from = source + at + p * panel * columnStride;
      To *to = out + (group * panels + p) * k * panel;
      int64_t width = std::min(panel, columns - p * panel);
      depth.forEach([&](int64_t i, int64_t offset) {
        for (int64_t j = 0; j < width; ++j)
          to[i * panel + j] = convert(from[offset + j * columnStride]);
        for (int64_t j = width; j < panel; ++j)
          to[i * panel + j] = To();
      });
    }
  });
}

SmallVector<int64_t> stridesOf(plan::LayoutAttr layout) {
  SmallVector<int64_t> strides(layout.getSource().size(), 1);
  for (size_t d = strides.size(); d-- > 1;)
    strides[d - 1] = strides[d] * layout.getSource()[d];
  return strides;
}

Walk walkOver(plan::LayoutAttr layout, ArrayRef<int64_t> strides, ArrayRef<int64_t> dims) {
  Walk made;
  for (int64_t dim : dims) {
    made.sizes.push_back(layout.getSource()[dim]);
    made.strides.push_back(strides[dim]);
  }
  return made;
}

template <typename T, typename To = T, typename Convert = Copied>
void packAs(ArrayRef<char> source, plan::LayoutAttr layout, MutableArrayRef<char> out) {
  SmallVector<int64_t> strides = stridesOf(layout);
  auto walk = [&](ArrayRef<int64_t> dims) { return walkOver(layout, strides, dims); };
  auto *from = reinterpret_cast<const T *>(source.data());
  auto *to = reinterpret_cast<To *>(out.data());
  ArrayRef<int64_t> order = layout.getPermutation();
  if (layout.getPanel() == 0) {
    walk(order).forEach([&](int64_t i, int64_t offset) { to[i] = Convert()(from[offset]); });
    return;
  }
  int64_t column = order[layout.getLeading()];
  pack(from, to, Convert(), walk(order.take_front(layout.getLeading())), layout.getSource()[column],
       strides[column], walk(order.drop_front(layout.getLeading() + 1)), layout.getPanel());
}

/// Panels of a convolution's taps, of which each 3 x 3 is transformed for F(m, 3).
void packTaps(const float *source, float *out, plan::LayoutAttr layout, ArrayRef<int64_t> strides,
              const Walk &depth) {
  ArrayRef<int64_t> order = layout.getPermutation(), sizes = layout.getSource();
  int64_t columns = sizes[order[2]], panel = layout.getPanel(), k = depth.count();
  int64_t panels = llvm::divideCeil(uint64_t(columns), uint64_t(panel));
  kern::WinogradTaps transform(layout.getWinograd());
  int64_t step = panels * k * panel; // from one transformed tap to the next
  std::fill_n(out, step * transform.count(), 0.0f);
  for (int64_t column = 0; column < columns; ++column)
    depth.forEach([&](int64_t i, int64_t offset) {
      double taps[3][3];
      for (int64_t y = 0; y < 3; ++y)
        for (int64_t x = 0; x < 3; ++x)
          taps[y][x] = double(source[offset + column * strides[order[2]] + y * strides[order[0]] +
                                     x * strides[order[1]]]);
      float *to = out + ((column / panel) * k + i) * panel + column % panel;
      transform.apply(taps, [&](int64_t t, double value) { to[t * step] = float(value); });
    });
}

/// Bytes without a type of their own, e.g. of 16-byte elements or at odd addresses.
template <unsigned size> struct Bytes {
  char bytes[size] = {};
};

} // namespace

void packWeights(ArrayRef<char> source, plan::LayoutAttr layout, unsigned elementBytes,
                 MutableArrayRef<char> out) {
  if (layout.getWinograd()) {
    SmallVector<int64_t> strides = stridesOf(layout);
    return packTaps(reinterpret_cast<const float *>(source.data()),
                    reinterpret_cast<float *>(out.data()), layout, strides,
                    walkOver(layout, strides, layout.getPermutation().drop_front(3)));
  }
  if (layout.getBf16())
    return packAs<uint32_t, uint16_t, RoundedToBf16>(source, layout, out);
  switch (elementBytes) {
  case 1:
    return packAs<Bytes<1>>(source, layout, out);
  case 2:
    return packAs<Bytes<2>>(source, layout, out);
  case 4:
    return packAs<Bytes<4>>(source, layout, out);
  case 8:
    return packAs<Bytes<8>>(source, layout, out);
  default:
    llvm_unreachable("withLayout takes elements of 1, 2, 4 or 8 bytes");
  }
}

/// The layout that `after` makes of what `before` makes; null where that is none.
static plan::LayoutAttr compose(plan::LayoutAttr before, plan::LayoutAttr after) {
  if (before.getPanel() != 0 || ArrayRef<int64_t>(before.getShape()) != after.getSource())
    return nullptr;
  SmallVector<int64_t> permutation;
  for (int64_t dim : after.getPermutation())
    permutation.push_back(before.getPermutation()[dim]);
  return plan::LayoutAttr::get(before.getContext(), before.getSource(), permutation,
                               after.getLeading(), after.getPanel(), after.getWinograd(),
                               after.getBf16());
}

TypedAttr withLayout(TypedAttr value, plan::LayoutAttr layout) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return nullptr;
  unsigned bits = type.getElementTypeBitWidth();
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
    return nullptr;
  int64_t elements = 1;
  for (int64_t size : layout.getSource())
    elements *= size;
  if (elements != type.getNumElements())
    return nullptr;
  if ((layout.getWinograd() || layout.getBf16()) && !type.getElementType().isF32())
    return nullptr;
  std::optional<uint64_t> bytes = packedBytes(layout, bits / 8);
  if (!bytes)
    return nullptr;
  auto packed = RankedTensorType::get(layout.getShape(),
                                      layout.getBf16() ? Type(BFloat16Type::get(value.getContext()))
                                                       : type.getElementType());

  if (auto weight = dyn_cast<plan::WeightAttr>(value)) {
    if (plan::LayoutAttr before = weight.getLayout()) {
      layout = compose(before, layout);
      if (!layout)
        return nullptr;
    }
    return plan::WeightAttr::get(value.getContext(), packed, weight.getSegment(),
                                 weight.getOffset(), weight.getLength(), layout);
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return nullptr;
  if (dense.isSplat() && !layout.getWinograd() && !layout.getBf16()) // columns past N may hold anything
    return dense.resizeSplat(packed);
  ArrayRef<char> data = dense.getRawData();
  std::vector<char> each;
  if (dense.isSplat()) {
    for (int64_t i = 0; i < elements; ++i)
      each.insert(each.end(), data.begin(), data.end());
    data = each;
  }
  std::vector<char> out(*bytes);
  packWeights(data, layout, bits / 8, out);
  return DenseElementsAttr::getFromRawBuffer(packed, out);
}

} // namespace burin
