// The CPU kernel of multi-scale deformable attention, forward and backward.
//
// Layout decides the speed: one corner of one sample is D neighbouring numbers, so the inner loops run over D and become
// vector instructions; threads walk through the queries of one head at a time, so that the part of that head's map which
// neighbouring queries read stays in the cache. Each loop is compiled three times, for plain x86-64 (and every other
// processor), AVX2 and AVX-512, and picked by the capability that libtorch reports.
#include "DeformableAttention.h"
#include "Parallel.h"

#include <ATen/Functions.h>
#include <ATen/Version.h>

#include <algorithm>
#include <bit>

#define CHATREX_INLINE inline __attribute__((always_inline))

namespace chatrex::deformable {
namespace {

/// The level of each sample of a batch, one array per number.
struct SampleLevels {
    static constexpr int64_t padding = 8;  // so that whole vectors can be read at the end
    std::vector<int32_t> height, width, start;

    /// Every level in turn, `repeats` times each.
    SampleLevels(const std::vector<Level> &levels, int64_t repeats) {
        for (const Level level : levels) append(level, repeats);
        append({1, 1, 0}, padding);
    }

private:
    void append(Level level, int64_t count) {
        height.insert(height.end(), size_t(count), level.height);
        width.insert(width.end(), size_t(count), level.width);
        start.insert(start.end(), size_t(count), level.start);
    }
};

/// One call's contiguous memory. `Stored` is the element type of value and output, `Real` that of all sums.
template <typename Stored, typename Real>
struct Arrays {
    const Extents &e;
    const Stored *value;
    const Real *locations, *weights;
    Stored *output = nullptr;                // forward
    const Stored *outputGradient = nullptr;  // backward
    Real *valueGradient = nullptr, *locationGradient = nullptr, *weightGradient = nullptr;
};

CHATREX_INLINE float widened(float x) { return x; }
CHATREX_INLINE double widened(double x) { return x; }
CHATREX_INLINE float widened(c10::BFloat16 x) { return std::bit_cast<float>(uint32_t(x.x) << 16); }

/// Bilinear interpolation along one axis: two neighbouring indices inside the map and their shares.
template <typename Real>
struct Axis {
    int32_t index[2];
    Real share[2];  // 0 for an index outside the map
    Real slope[2];  // derivative of the share by the coordinate

    /// - Parameter x: pixel coordinate, -1 < x < size
    CHATREX_INLINE Axis(Real x, int32_t size) {
        const int32_t floor = int32_t(x + 1) - 1;  // x + 1 > 0, so truncation is floor
        const Real fraction = x - Real(floor);
        const bool lowInside = floor >= 0, highInside = floor + 1 < size;
        index[0] = lowInside ? floor : 0;
        index[1] = highInside ? floor + 1 : size - 1;
        share[0] = lowInside ? 1 - fraction : Real(0);
        share[1] = highInside ? fraction : Real(0);
        slope[0] = lowInside ? Real(-1) : Real(0);
        slope[1] = highInside ? Real(1) : Real(0);
    }
};

/// A batch of samples, one array per number, so that what precedes the reading of values is done by vector instructions.
/// Corners count 0...3 = low-low, low-high, high-low, high-high (line, column).
template <typename Real>
struct Samples {
    static constexpr int64_t capacity = 64, step = SampleLevels::padding;

    // In: location, 0...1, and attention weight.
    Real x[capacity], y[capacity], weight[capacity];
    // Out: corners and their shares; all shares and slopes of a sample outside its map (or at NaN) are 0.
    int32_t token[4][capacity];
    Real weightedShare[4][capacity];
    Real columnShare[2][capacity], lineShare[2][capacity], columnSlope[2][capacity], lineSlope[2][capacity];

    CHATREX_INLINE void set(int64_t k, const Real *location, Real attentionWeight) {
        x[k] = location[0];
        y[k] = location[1];
        weight[k] = attentionWeight;
    }

    /// Works out the first `count` samples, which lie on the levels from `firstLevel` on.
    template <bool withSlopes>
    CHATREX_INLINE void locate(int64_t count, const SampleLevels &levels, int64_t firstLevel) {
        const int32_t *height = levels.height.data() + firstLevel, *width = levels.width.data() + firstLevel;
        const int32_t *start = levels.start.data() + firstLevel;
        for (int64_t k = count; k % step != 0; ++k) x[k] = y[k] = weight[k] = 0;
        for (int64_t begin = 0; begin < count; begin += step) {
            for (int64_t k = begin; k < begin + step; ++k) locateOne<withSlopes>(k, {height[k], width[k], start[k]});
        }
    }

private:
    template <bool withSlopes>
    CHATREX_INLINE void locateOne(int64_t k, Level level) {
        const Real column = x[k] * Real(level.width) - Real(0.5), line = y[k] * Real(level.height) - Real(0.5);
        const bool inside = (column > -1) & (line > -1) & (column < Real(level.width)) & (line < Real(level.height));
        const Axis<Real> columns(inside ? column : Real(0), level.width), lines(inside ? line : Real(0), level.height);
        const Real mask = inside ? Real(1) : Real(0), weightInside = inside ? weight[k] : Real(0);
        for (int corner = 0; corner < 4; ++corner) {
            token[corner][k] = level.start + lines.index[corner / 2] * level.width + columns.index[corner % 2];
            weightedShare[corner][k] = lines.share[corner / 2] * columns.share[corner % 2] * weightInside;
        }
        if constexpr (withSlopes) {
            for (int side = 0; side < 2; ++side) {
                columnShare[side][k] = columns.share[side] * mask;
                lineShare[side][k] = lines.share[side] * mask;
                columnSlope[side][k] = columns.slope[side] * mask * Real(level.width);
                lineSlope[side][k] = lines.slope[side] * mask * Real(level.height);
            }
        }
    }
};

/// - Parameters first, last: a range of (batch, head, query), queries fastest
template <typename Stored, typename Real, int fixedWidth>
CHATREX_INLINE void forwardRange(const Arrays<Stored, Real> &a, int64_t first, int64_t last) {
    const Extents &e = a.e;
    const int64_t width = fixedWidth > 0 ? fixedWidth : e.width, tokenStride = e.heads * width;
    const int64_t sampleCount = int64_t(e.levels.size()) * e.points;
    const SampleLevels levels(e.levels, e.points);
    Samples<Real> samples;
    Real fixedSum[fixedWidth > 0 ? fixedWidth : 1];
    std::vector<Real> freeSum(fixedWidth > 0 ? 0 : size_t(width));
    Real *const sum = fixedWidth > 0 ? fixedSum : freeSum.data();

    for (int64_t item = first; item < last; ++item) {
        const int64_t query = item % e.queries, head = item / e.queries % e.heads, batch = item / e.queries / e.heads;
        const int64_t row = (batch * e.queries + query) * e.heads + head;
        const Stored *value = a.value + (batch * e.tokens * e.heads + head) * width;
        const Real *locations = a.locations + row * sampleCount * 2, *weights = a.weights + row * sampleCount;
        for (int64_t d = 0; d < width; ++d) sum[d] = 0;

        for (int64_t begin = 0; begin < sampleCount; begin += samples.capacity) {
            const int64_t count = std::min(samples.capacity, sampleCount - begin);
            for (int64_t k = 0; k < count; ++k) samples.set(k, locations + 2 * (begin + k), weights[begin + k]);
            samples.template locate<false>(count, levels, begin);
            for (int64_t k = 0; k < count; ++k) {
                const Stored *v[4];
                Real share[4];
                for (int corner = 0; corner < 4; ++corner) {
                    v[corner] = value + samples.token[corner][k] * tokenStride;
                    share[corner] = samples.weightedShare[corner][k];
                }
                for (int64_t d = 0; d < width; ++d) {
                    sum[d] += share[0] * widened(v[0][d]) + share[1] * widened(v[1][d]) +
                              share[2] * widened(v[2][d]) + share[3] * widened(v[3][d]);
                }
            }
        }
        Stored *output = a.output + row * width;
        for (int64_t d = 0; d < width; ++d) output[d] = Stored(sum[d]);
    }
}

/// - Parameters first, last: a range of (batch, head, level), levels fastest. No two share an element of any gradient.
template <typename Stored, typename Real, int fixedWidth>
CHATREX_INLINE void backwardRange(const Arrays<Stored, Real> &a, int64_t first, int64_t last) {
    const Extents &e = a.e;
    const int64_t width = fixedWidth > 0 ? fixedWidth : e.width, tokenStride = e.heads * width;
    const int64_t levelCount = int64_t(e.levels.size()), sampleCount = e.queries * e.points;
    Samples<Real> samples;

    for (int64_t item = first; item < last; ++item) {
        const int64_t l = item % levelCount, head = item / levelCount % e.heads, batch = item / levelCount / e.heads;
        const SampleLevels level({e.levels[size_t(l)]}, samples.capacity);
        const int64_t plane = (batch * e.tokens * e.heads + head) * width;
        int64_t rows[Samples<Real>::capacity], indices[Samples<Real>::capacity];  // of output and weights
        int64_t query = 0, point = 0;
        for (int64_t begin = 0; begin < sampleCount; begin += samples.capacity) {
            const int64_t count = std::min(samples.capacity, sampleCount - begin);
            for (int64_t k = 0; k < count; ++k) {
                rows[k] = (batch * e.queries + query) * e.heads + head;
                indices[k] = (rows[k] * levelCount + l) * e.points + point;
                samples.set(k, a.locations + 2 * indices[k], a.weights[indices[k]]);
                if (++point == e.points) point = 0, ++query;
            }
            samples.template locate<true>(count, level, 0);
            for (int64_t k = 0; k < count; ++k) {
                const Stored *outputGradient = a.outputGradient + rows[k] * width;
                Real dot[4] = {0, 0, 0, 0};  // of the output's gradient and each corner's value
                for (int corner = 0; corner < 4; ++corner) {
                    // Corners may coincide at the border (one with share 0), so one after the other.
                    const int64_t offset = plane + samples.token[corner][k] * tokenStride;
                    const Stored *value = a.value + offset;
                    Real *valueGradient = a.valueGradient + offset;
                    const Real share = samples.weightedShare[corner][k];
                    {
#pragma clang fp reassociate(on)
                        for (int64_t d = 0; d < width; ++d) dot[corner] += widened(outputGradient[d]) * widened(value[d]);
                    }
                    for (int64_t d = 0; d < width; ++d) valueGradient[d] += share * widened(outputGradient[d]);
                }
                Real lineDot[2], columnDot[2];  // along one axis interpolated, along the other not yet
                for (int side = 0; side < 2; ++side) {
                    lineDot[side] = samples.columnShare[0][k] * dot[2 * side] + samples.columnShare[1][k] * dot[2 * side + 1];
                    columnDot[side] = samples.lineShare[0][k] * dot[side] + samples.lineShare[1][k] * dot[2 + side];
                }
                const Real weight = samples.weight[k];
                a.weightGradient[indices[k]] =
                    samples.lineShare[0][k] * lineDot[0] + samples.lineShare[1][k] * lineDot[1];
                a.locationGradient[2 * indices[k]] =
                    weight * (samples.columnSlope[0][k] * columnDot[0] + samples.columnSlope[1][k] * columnDot[1]);
                a.locationGradient[2 * indices[k] + 1] =
                    weight * (samples.lineSlope[0][k] * lineDot[0] + samples.lineSlope[1][k] * lineDot[1]);
            }
        }
    }
}

// MARK: - One compilation per instruction set

enum class Direction { forward, backward };

template <Direction direction, typename Stored, typename Real, int fixedWidth>
CHATREX_INLINE void range(const Arrays<Stored, Real> &a, int64_t first, int64_t last) {
    if constexpr (direction == Direction::forward) {
        forwardRange<Stored, Real, fixedWidth>(a, first, last);
    } else {
        backwardRange<Stored, Real, fixedWidth>(a, first, last);
    }
}

template <Direction direction, typename Stored, typename Real, int fixedWidth>
void rangeDefault(const Arrays<Stored, Real> &a, int64_t first, int64_t last) {
    range<direction, Stored, Real, fixedWidth>(a, first, last);
}

#if defined(__x86_64__)
template <Direction direction, typename Stored, typename Real, int fixedWidth>
__attribute__((target("avx2,fma"))) void rangeAVX2(const Arrays<Stored, Real> &a, int64_t first, int64_t last) {
    range<direction, Stored, Real, fixedWidth>(a, first, last);
}

template <Direction direction, typename Stored, typename Real, int fixedWidth>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))) void rangeAVX512(const Arrays<Stored, Real> &a,
                                                                                     int64_t first, int64_t last) {
    range<direction, Stored, Real, fixedWidth>(a, first, last);
}
#endif

template <Direction direction, typename Stored, typename Real, int fixedWidth>
auto bestRange() {
#if defined(__x86_64__)
    static const std::string capability = at::get_cpu_capability();
    if (capability.starts_with("AVX512")) return &rangeAVX512<direction, Stored, Real, fixedWidth>;
    if (capability.starts_with("AVX2")) return &rangeAVX2<direction, Stored, Real, fixedWidth>;
#endif
    return &rangeDefault<direction, Stored, Real, fixedWidth>;
}

template <Direction direction, typename Stored, typename Real>
void run(const Arrays<Stored, Real> &a, int64_t items, int64_t grain) {
    auto range = bestRange<direction, Stored, Real, 0>();
    switch (a.e.width) {
        case 16: range = bestRange<direction, Stored, Real, 16>(); break;
        case 32: range = bestRange<direction, Stored, Real, 32>(); break;
        case 64: range = bestRange<direction, Stored, Real, 64>(); break;
        default: break;
    }
    parallelFor(0, items, grain, [&](int64_t first, int64_t last) { range(a, first, last); });
}

// MARK: - Tensors in and out

constexpr int64_t queriesPerPiece = 512;

/// Calls `body` with a value of the element type that the kernel works on and one of its sum's type.
template <typename Body>
void withElementTypes(at::ScalarType type, const Body &body) {
    switch (type) {
        case at::kDouble: return body(double(), double());
        case at::kBFloat16: return body(c10::BFloat16(), float());
        default: return body(float(), float());
    }
}

/// float32, float64 and bfloat16 are read as they are, other element types by way of float32.
at::ScalarType storedType(const at::Tensor &value) {
    const auto type = value.scalar_type();
    return type == at::kDouble || type == at::kBFloat16 ? type : at::kFloat;
}

}  // namespace

at::Tensor forwardCPU(const Extents &e, const at::Tensor &value, const at::Tensor &locations,
                      const at::Tensor &weights) {
    const auto stored = storedType(value), real = stored == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor v = value.to(stored).contiguous();
    const at::Tensor x = locations.to(real).contiguous(), w = weights.to(real).contiguous();
    at::Tensor output = at::empty({e.batch, e.queries, e.heads * e.width}, v.options());
    withElementTypes(stored, [&]<typename Stored, typename Real>(Stored, Real) {
        const Arrays<Stored, Real> arrays{.e = e,
                                          .value = v.const_data_ptr<Stored>(),
                                          .locations = x.const_data_ptr<Real>(),
                                          .weights = w.const_data_ptr<Real>(),
                                          .output = output.mutable_data_ptr<Stored>()};
        run<Direction::forward>(arrays, e.batch * e.heads * e.queries, queriesPerPiece);
    });
    return output.to(value.scalar_type());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> backwardCPU(const Extents &e, const at::Tensor &outputGradient,
                                                           const at::Tensor &value, const at::Tensor &locations,
                                                           const at::Tensor &weights) {
    const auto stored = storedType(value), real = stored == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor v = value.to(stored).contiguous(), g = outputGradient.to(stored).contiguous();
    const at::Tensor x = locations.to(real).contiguous(), w = weights.to(real).contiguous();
    at::Tensor valueGradient = at::zeros_like(v, v.options().dtype(real));
    at::Tensor locationGradient = at::empty_like(x), weightGradient = at::empty_like(w);
    withElementTypes(stored, [&]<typename Stored, typename Real>(Stored, Real) {
        const Arrays<Stored, Real> arrays{.e = e,
                                          .value = v.const_data_ptr<Stored>(),
                                          .locations = x.const_data_ptr<Real>(),
                                          .weights = w.const_data_ptr<Real>(),
                                          .outputGradient = g.const_data_ptr<Stored>(),
                                          .valueGradient = valueGradient.mutable_data_ptr<Real>(),
                                          .locationGradient = locationGradient.mutable_data_ptr<Real>(),
                                          .weightGradient = weightGradient.mutable_data_ptr<Real>()};
        run<Direction::backward>(arrays, e.batch * e.heads * int64_t(e.levels.size()), 1);
    });
    return {valueGradient.to(value.scalar_type()), locationGradient.to(locations.scalar_type()),
            weightGradient.to(weights.scalar_type())};
}

}  // namespace chatrex::deformable
