#include "Parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if __has_include(<dlfcn.h>)
#include <dlfcn.h>
#endif

namespace chatrex {
namespace {

/// One loop under way: threads take the next piece until none is left.
struct Loop {
    const std::function<void(int64_t, int64_t)> &body;
    const int64_t end;
    const int64_t grain;
    std::atomic<int64_t> next;
    std::mutex failureLock;
    std::exception_ptr failure;

    void work() noexcept {
        for (;;) {
            const int64_t first = next.fetch_add(grain, std::memory_order_relaxed);
            if (first >= end) return;
            try {
                body(first, first + std::min(grain, end - first));
            } catch (...) {
                const std::lock_guard<std::mutex> guard(failureLock);
                if (!failure) failure = std::current_exception();
                next.store(end, std::memory_order_relaxed);
            }
        }
    }

    static void workUntyped(void *loop) { static_cast<Loop *>(loop)->work(); }
};

/// The entry point that GCC's `#pragma omp parallel` compiles to, from the OpenMP runtime that libtorch brought along.
using OpenMPParallel = void (*)(void (*)(void *), void *, unsigned, unsigned);

OpenMPParallel findOpenMPParallel() {
#if __has_include(<dlfcn.h>)
    return reinterpret_cast<OpenMPParallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
#else
    return nullptr;
#endif
}

}  // namespace

void parallelFor(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)> &body) {
    if (begin >= end) return;
    grain = std::max<int64_t>(grain, 1);
    const int64_t pieces = (end - begin - 1) / grain + 1;
    const int64_t threads = at::in_parallel_region() ? 1 : std::min<int64_t>(at::get_num_threads(), pieces);
    if (threads <= 1) return body(begin, end);

    Loop loop{.body = body, .end = end, .grain = grain, .next = begin, .failureLock = {}, .failure = nullptr};
    static const OpenMPParallel openMPParallel = findOpenMPParallel();
    if (openMPParallel) {
        openMPParallel(&Loop::workUntyped, &loop, static_cast<unsigned>(threads), 0);
    } else {
        std::vector<std::thread> others;
        try {
            for (int64_t i = 1; i < threads; ++i) others.emplace_back(&Loop::workUntyped, &loop);
        } catch (const std::system_error &) {
            // Fewer threads than hoped for: those that started, and this one, do the work.
        }
        loop.work();
        for (auto &other : others) other.join();
    }
    if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace chatrex
