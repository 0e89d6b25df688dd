// Parallel loops for the kernels of this target.
//
// `at::parallel_for` is a header template over `#pragma omp`, which a compiler without OpenMP turns into a serial loop. The
// loop below runs on the very pool that libtorch's own kernels use, so that the two never compete for cores.
#pragma once

#include <cstdint>
#include <functional>

namespace chatrex {

/// Calls `body(first, last)` for disjoint pieces that cover `begin ..< end`, on up to `at::get_num_threads()` threads.
///
/// Pieces are at most `grain` long and are handed out on demand, in order. Inside a parallel region, and where one piece
/// covers everything, the call is serial. The first exception that a body throws is rethrown here, after all have ended.
void parallelFor(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)> &body);

}  // namespace chatrex
