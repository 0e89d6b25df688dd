// Parts of a network that keep their inputs alone in a forward pass and are computed again in the backward pass
// (Chen et al. 2016, arXiv 1604.06174). Random numbers and autocast are those of the first time.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>
#include <vector>

#include "Guard.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

at::Generator generator(c10::Device device) { return at::globalContext().defaultGenerator(device); }

/// What a part draws its random numbers from: the CPU's generator, and that of the device it runs on.
class RandomStates {
public:
    explicit RandomStates(std::vector<c10::Device> devices) : devices(std::move(devices)) {
        for (const auto &device : this->devices) {
            auto source = generator(device);
            std::lock_guard<std::mutex> lock(source.mutex());
            states.push_back(source.get_state());
        }
    }

    void restore() const {
        for (size_t i = 0; i < devices.size(); ++i) {
            auto source = generator(devices[i]);
            std::lock_guard<std::mutex> lock(source.mutex());
            source.set_state(states[i]);
        }
    }

    /// The same generators as they are now.
    RandomStates now() const { return RandomStates(devices); }

private:
    std::vector<c10::Device> devices;
    std::vector<at::Tensor> states;
};

/// Autocast of the device types that a part meets.
class AutocastStates {
public:
    explicit AutocastStates(const std::vector<c10::Device> &devices) {
        for (const auto &device : devices) {
            states.push_back({device.type(), at::autocast::is_autocast_enabled(device.type()),
                              at::autocast::get_autocast_dtype(device.type())});
        }
    }

    void apply() const {
        for (const auto &state : states) {
            at::autocast::set_autocast_enabled(state.device, state.enabled);
            at::autocast::set_autocast_dtype(state.device, state.dtype);
        }
    }

private:
    struct State {
        at::DeviceType device;
        bool enabled;
        at::ScalarType dtype;
    };
    std::vector<State> states;
};

/// The caller's function, released with the graph that may need it again.
struct Segment {
    CTRecompute compute;
    CTDeallocator drop;
    void *context;
    std::vector<c10::Device> devices;
    std::unique_ptr<RandomStates> random;
    std::unique_ptr<AutocastStates> autocast;

    Segment(CTRecompute compute, CTDeallocator drop, void *context) : compute(compute), drop(drop), context(context) {}
    Segment(const Segment &) = delete;
    ~Segment() { drop(context); }

    void remember(const variable_list &inputs) {
        devices = {c10::Device(c10::kCPU)};
        for (const auto &input : inputs) {
            if (input.defined() && input.is_cuda() && devices.size() == 1) devices.push_back(input.device());
        }
        random = std::make_unique<RandomStates>(devices);
        autocast = std::make_unique<AutocastStates>(devices);
    }

    at::Tensor run(const variable_list &inputs) const {
        std::vector<CTTensorRef> refs;
        for (const auto &input : inputs) refs.push_back(release(input));
        CTTensorRef out = nullptr;
        const CTStatus status = compute(context, refs.data(), static_cast<int32_t>(refs.size()), &out);
        for (auto ref : refs) ct_tensor_release(ref);
        TORCH_CHECK(status == CT_OK && out, "a part of the network could not be computed: ", ct_last_error());
        auto result = borrow(out);
        ct_tensor_release(out);
        return result;
    }
};

/// Lets no cast of a weight be remembered that was made without a gradient.
class WithoutAutocastCache {
public:
    WithoutAutocastCache() : former(at::autocast::is_autocast_cache_enabled()) {
        at::autocast::set_autocast_cache_enabled(false);
    }
    ~WithoutAutocastCache() { at::autocast::set_autocast_cache_enabled(former); }

private:
    bool former;
};

/// Puts random numbers and autocast back as they were when it ends.
class AsBefore {
public:
    explicit AsBefore(const Segment &segment) : random(segment.random->now()), autocast(segment.devices) {
        at::autocast::increment_nesting();
        segment.random->restore();
        segment.autocast->apply();
    }
    ~AsBefore() {
        if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
        autocast.apply();
        random.restore();
    }

private:
    RandomStates random;
    AutocastStates autocast;
};

struct Recomputed : torch::autograd::Function<Recomputed> {
    /// - Parameter anchor: makes the result depend on something trained where no input does.
    static at::Tensor forward(AutogradContext *ctx, std::shared_ptr<Segment> segment, const at::Tensor &anchor,
                              at::TensorList list) {
        const variable_list inputs(list.begin(), list.end());
        segment->remember(inputs);
        ctx->save_for_backward(inputs);
        ctx->saved_data["segment"] = c10::IValue::make_capsule(c10::make_intrusive<Holder>(segment));
        WithoutAutocastCache uncached;
        at::AutoGradMode off(false);
        auto result = segment->run(inputs);
        // A function must not hand out one of its inputs.
        for (const auto &input : inputs) {
            if (result.is_same(input)) return result.clone();
        }
        return result;
    }

    static variable_list backward(AutogradContext *ctx, variable_list gradients) {
        const auto saved = ctx->get_saved_variables();
        variable_list results(2 + saved.size());
        if (!gradients[0].defined()) return results;
        const auto holder = c10::static_intrusive_pointer_cast<Holder>(ctx->saved_data["segment"].toCapsule());
        const Segment &segment = *holder->segment;
        variable_list inputs;
        for (const auto &input : saved) {
            inputs.push_back(input.detach());
            inputs.back().requires_grad_(input.requires_grad());
        }
        at::AutoGradMode on(true);
        at::Tensor output;
        {
            AsBefore state(segment);
            output = segment.run(inputs);
        }
        if (output.requires_grad()) torch::autograd::backward({output}, {gradients[0]});
        for (size_t i = 0; i < inputs.size(); ++i) results[2 + i] = inputs[i].grad();
        return results;
    }

private:
    struct Holder : torch::CustomClassHolder {
        std::shared_ptr<Segment> segment;
        explicit Holder(std::shared_ptr<Segment> segment) : segment(std::move(segment)) {}
    };
};

}  // namespace

CTStatus ct_recomputed(CTTensorRef *inputs, int32_t count, CTRecompute compute, CTDeallocator drop, void *context,
                       CTTensorRef *out) {
    return guarded([&] {
        auto segment = std::make_shared<Segment>(compute, drop, context);
        std::vector<at::Tensor> tensors;
        bool isTrained = false;
        for (int32_t i = 0; i < count; ++i) {
            tensors.push_back(borrow(inputs[i]));
            isTrained = isTrained || tensors.back().requires_grad();
        }
        auto anchor = at::zeros({}, at::kFloat);
        if (!isTrained) anchor.requires_grad_(true);
        *out = release(Recomputed::apply(std::move(segment), anchor, at::TensorList(tensors)));
    });
}
