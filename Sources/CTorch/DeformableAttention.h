// Shared by the two files of multi-scale deformable attention: the registered operators and the CPU kernel.
#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>
#include <vector>

namespace chatrex::deformable {

/// The map of one level inside the token axis.
struct Level {
    int32_t height, width, start;
};

/// What the operator's arguments say, once checked.
struct Extents {
    int64_t batch, tokens, heads, width;  // of value [B, S, M, D]
    int64_t queries, points;              // of locations [B, N, M, L, P, 2]
    std::vector<Level> levels;
};

/// Checks shapes, dtypes and level tables; throws `c10::Error` with the operator's name.
Extents checkedExtents(const at::Tensor &value, const at::Tensor &spatialShapes, const at::Tensor &levelStartIndex,
                       const at::Tensor &locations, const at::Tensor &weights);

/// - Returns: mixed values [B, N, M*D] in the dtype of `value`; sums are kept in float32 (float64 for float64 values).
at::Tensor forwardCPU(const Extents &extents, const at::Tensor &value, const at::Tensor &locations,
                      const at::Tensor &weights);

/// - Returns: gradients of value, locations and weights, each in its own tensor's shape and dtype.
std::tuple<at::Tensor, at::Tensor, at::Tensor> backwardCPU(const Extents &extents, const at::Tensor &outputGradient,
                                                           const at::Tensor &value, const at::Tensor &locations,
                                                           const at::Tensor &weights);

}  // namespace chatrex::deformable
