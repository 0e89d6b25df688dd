// Processes that compute together: libtorch's process groups, found through its key-value store over TCP.
//
// Gloo carries tensors on the CPU. Tensors on CUDA devices go through NCCL, which is part of libtorch's CUDA library: that is not
// linked, so its constructor is looked up when a group with CUDA is asked for.
#define USE_C10D_GLOO
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <cstdlib>
#include <cstring>
#include <new>

#include "Guard.h"

using namespace ctorch;
using BackendRef = c10::intrusive_ptr<c10d::Backend>;
using StoreRef = c10::intrusive_ptr<c10d::Store>;

struct CTProcessGroup {
    StoreRef store;
    BackendRef gloo;
    /// Null without CUDA.
    BackendRef nccl;

    c10d::Backend &backend(const at::Tensor &tensor) const {
        if (!tensor.is_cuda()) return *gloo;
        TORCH_CHECK_VALUE(nccl, "the tensor is on a CUDA device, but the group was made for the CPU");
        return *nccl;
    }
};

namespace {

/// Finds a symbol of libtorch's CUDA library.
template <typename Function>
Function *cudaSymbol(const char *name) {
    void *symbol = ct_device_is_available(static_cast<int32_t>(c10::DeviceType::CUDA)) ? dlsym(RTLD_DEFAULT, name) : nullptr;
    TORCH_CHECK_NOT_IMPLEMENTED(symbol, "this machine or its libtorch has no CUDA with NCCL; train on the device cpu (", name, ")");
    return reinterpret_cast<Function *>(symbol);
}

/// Makes an object of a class whose header cannot be compiled without CUDA's, by the constructor of its library. The object
/// is deleted by its own virtual destructor.
template <typename Base, typename... Arguments>
c10::intrusive_ptr<Base> construct(const char *constructor, Arguments... arguments) {
    // More than any of these classes takes; zeroed, so that what is behind the object is quiet.
    constexpr size_t room = 1 << 16;
    auto build = cudaSymbol<void(void *, Arguments...)>(constructor);
    std::unique_ptr<void, void (*)(void *)> memory(::operator new(room), [](void *pointer) { ::operator delete(pointer); });
    std::memset(memory.get(), 0, room);
    build(memory.get(), std::move(arguments)...);
    return c10::intrusive_ptr<Base>::unsafe_steal_from_new(static_cast<Base *>(memory.release()));
}

/// `ProcessGroupNCCL(intrusive_ptr<Store>, int, int, intrusive_ptr<Options>)`.
BackendRef makeNCCL(StoreRef store, int rank, int size, std::chrono::milliseconds timeout) {
    // Waiting in `wait`, and throwing there, instead of a watchdog that ends the process without a word to the caller.
    setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
    using Options = c10d::Backend::Options;
    auto options = construct<Options>("_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb", false);
    options->timeout = timeout;
    return construct<c10d::Backend>(
        "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_EEEEii"
        "NS2_INS0_7OptionsENS5_IS8_EEEE",
        std::move(store), rank, size, std::move(options));
}

/// Waits for a collective and throws what it failed with.
void finish(const c10::intrusive_ptr<c10d::Work> &work) {
    TORCH_CHECK(work->wait(), "the collective was aborted");
}

/// Tensors as collectives take them: plain, row-major.
at::Tensor plain(CTTensorRef ref) {
    at::Tensor tensor = borrow(ref).detach();
    TORCH_CHECK_VALUE(tensor.is_contiguous(), "collectives need contiguous tensors");
    return tensor;
}

}  // namespace

CTStatus ct_process_group_create(const CTProcessGroupOptions *options, CTProcessGroupRef *out) {
    return guarded([&] {
        std::chrono::milliseconds timeout(options->timeout_milliseconds);
        int rank = options->rank, size = options->size;
        c10d::TCPStoreOptions place;
        place.port = options->port;
        place.isServer = options->hosts_store;
        place.numWorkers = static_cast<size_t>(size);
        // A store that the launcher hosts counts its own clients.
        place.waitWorkers = false;
        place.timeout = timeout;
        auto group = std::make_unique<CTProcessGroup>();
        group->store = c10::make_intrusive<c10d::PrefixStore>(
            options->prefix, c10::make_intrusive<c10d::TCPStore>(options->host, place));
        auto gloo = c10d::ProcessGroupGloo::Options::create_default(timeout);

        group->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(
            c10::make_intrusive<c10d::PrefixStore>("gloo", group->store), rank, size, std::move(gloo));
        if (options->uses_nccl) {
            group->nccl = makeNCCL(c10::make_intrusive<c10d::PrefixStore>("nccl", group->store), rank, size, timeout);
        }
        *out = group.release();
    });
}

void ct_process_group_release(CTProcessGroupRef group) { delete group; }

CTStatus ct_process_group_all_reduce(CTProcessGroupRef group, CTTensorRef tensor, CTReduction reduction) {
    return guarded([&] {
        std::vector<at::Tensor> tensors{plain(tensor)};
        c10d::AllreduceOptions options;
        options.reduceOp = reduction == CT_REDUCE_MAXIMUM ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM;
        finish(group->backend(tensors[0]).allreduce(tensors, options));
    });
}

CTStatus ct_process_group_reduce_scatter(CTProcessGroupRef group, CTTensorRef input, CTTensorRef output) {
    return guarded([&] {
        at::Tensor all = plain(input), part = plain(output);
        auto &backend = group->backend(all);
        int64_t size = backend.getSize();
        TORCH_CHECK_VALUE(all.numel() == part.numel() * size, "the input needs one part for each of ", size, " processes");
        if (all.is_cuda()) return finish(backend._reduce_scatter_base(part, all));
        // Gloo takes longer for a part (0.25 s for two of 8 million numbers) than for everything (0.16 s).
        std::vector<at::Tensor> tensors{all};
        finish(backend.allreduce(tensors));
        c10::NoGradGuard noGrad;
        part.copy_(all.view({size, -1}).select(0, backend.getRank()).view(part.sizes()));
    });
}

CTStatus ct_process_group_all_gather(CTProcessGroupRef group, CTTensorRef input, CTTensorRef output) {
    return guarded([&] {
        at::Tensor part = plain(input), all = plain(output);
        auto &backend = group->backend(all);
        TORCH_CHECK_VALUE(all.numel() == part.numel() * backend.getSize(), "the output needs room for every process's part");
        finish(backend._allgather_base(all, part));
    });
}

CTStatus ct_process_group_broadcast(CTProcessGroupRef group, CTTensorRef tensor, int32_t root) {
    return guarded([&] {
        std::vector<at::Tensor> tensors{plain(tensor)};
        c10d::BroadcastOptions options;
        options.rootRank = root;
        finish(group->backend(tensors[0]).broadcast(tensors, options));
    });
}

CTStatus ct_process_group_barrier(CTProcessGroupRef group, int64_t timeout_milliseconds) {
    return guarded([&] {
        c10d::BarrierOptions options;
        if (timeout_milliseconds > 0) options.timeout = std::chrono::milliseconds(timeout_milliseconds);
        finish(group->gloo->barrier(options));
    });
}
