/// A C interface to libtorch: the only place of the package that sees C++ tensors.
///
/// Every call that can fail returns a `CTStatus`; on failure `ct_last_error` of the same thread holds the message until that
/// thread's next failing call. No C++ exception crosses this boundary. A `CTTensorRef` that a call hands out is an owned
/// reference: release it once with `ct_tensor_release`. Arguments are borrowed for the length of the call.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CTTensor *CTTensorRef;
typedef const struct CTOperator *CTOperatorRef;

typedef enum CTStatus {
    CT_OK = 0,
    CT_ERROR_INTERNAL,
    CT_ERROR_OUT_OF_MEMORY,
    CT_ERROR_INDEX,
    CT_ERROR_VALUE,
    CT_ERROR_TYPE,
    CT_ERROR_NOT_IMPLEMENTED,
    CT_ERROR_NOT_FOUND,
} CTStatus;

/// The message of the calling thread's last failed call (never NULL).
const char *ct_last_error(void);

// MARK: Values that operators take and give

typedef enum CTTag {
    CT_NONE,           ///< an absent optional
    CT_DEFAULT,        ///< the schema's default value (arguments only)
    CT_TENSOR,         ///< `tensor`
    CT_INT,            ///< `integer`: int, SymInt, Scalar, dtype, layout, memory format
    CT_DOUBLE,         ///< `real`: float, Scalar
    CT_BOOL,           ///< `integer` 0 or 1
    CT_STRING,         ///< `string`
    CT_DEVICE,         ///< `integer` is the device type, `count` its index (-1: current)
    CT_INTS,           ///< `integers`, `count`
    CT_DOUBLES,        ///< `reals`, `count`
    CT_BOOLS,          ///< `integers` of 0 or 1, `count`
    CT_TENSORS,        ///< `tensors`, `count`; a NULL element is an absent tensor. As a result: free with `ct_tensors_free`.
} CTTag;

typedef struct CTValue {
    CTTag tag;
    int64_t count;
    union {
        CTTensorRef tensor;
        int64_t integer;
        double real;
        const char *string;
        const int64_t *integers;
        const double *reals;
        CTTensorRef *tensors;
    };
} CTValue;

// MARK: Operators

/// Finds an operator by schema name, e.g. ("aten::add", "Tensor"). The handle lives as long as the process.
CTStatus ct_operator_find(const char *name, const char *overload, CTOperatorRef *out);
/// The operator's schema as text; owned by the handle.
const char *ct_operator_schema(CTOperatorRef op);
/// Calls an operator. Arguments are positional in schema order (keyword-only ones included); missing ones take their defaults.
/// `result_capacity` must be at least the number of results; `result_count` receives it.
CTStatus ct_operator_call(CTOperatorRef op, const CTValue *arguments, int32_t argument_count, CTValue *results,
                          int32_t result_capacity, int32_t *result_count);
void ct_tensors_free(CTTensorRef *tensors);

// MARK: Tensors

/// Runs when libtorch no longer needs memory that was lent to it.
typedef void (*CTDeallocator)(void *context);

/// A tensor over memory that the caller lends; `deallocate(context)` runs when the last view is gone (also when this call fails).
/// `strides` may be NULL for row-major. The memory must stay valid and, for read-only mappings, must not be written to.
CTStatus ct_tensor_from_memory(void *data, const int64_t *sizes, const int64_t *strides, int32_t rank, int32_t dtype,
                               CTDeallocator deallocate, void *context, CTTensorRef *out);
/// A new CPU tensor holding a copy of row-major `data`.
CTStatus ct_tensor_from_copy(const void *data, size_t byte_count, const int64_t *sizes, int32_t rank, int32_t dtype,
                             CTTensorRef *out);
/// Copies the elements in row-major order into `destination`, from any device.
CTStatus ct_tensor_copy_out(CTTensorRef tensor, void *destination, size_t byte_count);
CTTensorRef ct_tensor_retain(CTTensorRef tensor);
void ct_tensor_release(CTTensorRef tensor);

int32_t ct_tensor_rank(CTTensorRef tensor);
const int64_t *ct_tensor_sizes(CTTensorRef tensor);
const int64_t *ct_tensor_strides(CTTensorRef tensor);
int64_t ct_tensor_element_count(CTTensorRef tensor);
int32_t ct_tensor_dtype(CTTensorRef tensor);
void ct_tensor_device(CTTensorRef tensor, int32_t *type, int32_t *index);
bool ct_tensor_is_contiguous(CTTensorRef tensor);
/// Address of the first element of a CPU tensor, or NULL.
void *ct_tensor_data(CTTensorRef tensor);
size_t ct_dtype_size(int32_t dtype);
/// Makes `tensor` (keeping its identity and gradient settings) hold the values of `source`.
CTStatus ct_tensor_set_data(CTTensorRef tensor, CTTensorRef source);

// MARK: Gradients

bool ct_tensor_requires_grad(CTTensorRef tensor);
CTStatus ct_tensor_set_requires_grad(CTTensorRef tensor, bool value);
bool ct_tensor_is_leaf(CTTensorRef tensor);
/// The accumulated gradient, owned, or NULL.
CTTensorRef ct_tensor_grad(CTTensorRef tensor);
/// Replaces the accumulated gradient; NULL clears it.
CTStatus ct_tensor_set_grad(CTTensorRef tensor, CTTensorRef grad);
/// Accumulates gradients of `outputs` into the leaves. `grads` may be NULL for scalar outputs.
CTStatus ct_backward(CTTensorRef *outputs, CTTensorRef *grads, int32_t count, bool keep_graph, bool create_graph);
/// Gradients of `outputs` with respect to `inputs`; `results[i]` may be NULL where unused and `allow_unused` is set.
CTStatus ct_grad(CTTensorRef *outputs, CTTensorRef *grads, int32_t output_count, CTTensorRef *inputs, int32_t input_count,
                 bool keep_graph, bool create_graph, bool allow_unused, CTTensorRef *results);
/// Computes a part of a network from its inputs (borrowed) into an owned reference. Called on whatever thread runs the
/// backward pass; a failure is told by the status, its message by `ct_last_error`.
typedef CTStatus (*CTRecompute)(void *context, CTTensorRef *inputs, int32_t count, CTTensorRef *out);
/// Runs `compute` without recording it; the backward pass runs it again with the same random numbers and autocast.
/// Everything that carries a gradient into the part, but for leaves, must be among `inputs`. `drop(context)` runs when the
/// part can no longer be needed (also when this call fails).
CTStatus ct_recomputed(CTTensorRef *inputs, int32_t count, CTRecompute compute, CTDeallocator drop, void *context,
                       CTTensorRef *out);
bool ct_grad_mode(void);
void ct_set_grad_mode(bool enabled);
/// Enters inference mode on this thread; leave with the returned token, in reverse order of entering.
void *ct_inference_mode_enter(void);
void ct_inference_mode_leave(void *token);

// MARK: Autocast (thread-local)

typedef struct CTAutocast {
    bool enabled;
    int32_t dtype;
} CTAutocast;
/// Switches autocast of a device type on or off for this thread and returns the former state.
CTStatus ct_autocast_enter(int32_t device_type, CTAutocast state, CTAutocast *former);
CTStatus ct_autocast_leave(int32_t device_type, CTAutocast former);

// MARK: Processes that compute together

typedef struct CTProcessGroup *CTProcessGroupRef;

typedef struct CTProcessGroupOptions {
    const char *host;              ///< where the processes find each other
    uint16_t port;
    bool hosts_store;              ///< whether this process hosts the store there
    const char *prefix;            ///< keeps apart what several groups put into one store
    int32_t rank, size;
    int64_t timeout_milliseconds;  ///< of finding each other and of every collective
    bool uses_nccl;                ///< whether tensors on CUDA devices are taken too
} CTProcessGroupOptions;

typedef enum CTReduction {
    CT_REDUCE_SUM,
    CT_REDUCE_MAXIMUM,
} CTReduction;

/// Joins a group; returns when all processes have joined. Release with `ct_process_group_release`.
CTStatus ct_process_group_create(const CTProcessGroupOptions *options, CTProcessGroupRef *out);
void ct_process_group_release(CTProcessGroupRef group);
// Collectives: all processes call the same ones in the same order with contiguous tensors of the same sizes. They return
// when the result is there, or fail when a process is gone or does not call in time.
/// Replaces the elements by those of all processes together.
CTStatus ct_process_group_all_reduce(CTProcessGroupRef group, CTTensorRef tensor, CTReduction reduction);
/// Sums `input`, which has a part for each process, and gives each its part in `output`. Overwrites `input`.
CTStatus ct_process_group_reduce_scatter(CTProcessGroupRef group, CTTensorRef input, CTTensorRef output);
/// Puts the `input` of all processes into `output`, by rank.
CTStatus ct_process_group_all_gather(CTProcessGroupRef group, CTTensorRef input, CTTensorRef output);
/// Gives all processes the elements of the one with rank `root`.
CTStatus ct_process_group_broadcast(CTProcessGroupRef group, CTTensorRef tensor, int32_t root);
/// Waits until all processes are here. 0 for the group's own timeout.
CTStatus ct_process_group_barrier(CTProcessGroupRef group, int64_t timeout_milliseconds);

// MARK: The process

/// Version of the libtorch in use, e.g. "2.13.0".
const char *ct_version(void);
/// Settings that suit large tensors: freed blocks stay in the process. Call once at start; harmless when repeated.
void ct_initialize(void);
CTStatus ct_manual_seed(uint64_t seed);
/// State of a device's default random generator, as a uint8 tensor.
CTStatus ct_random_state(int32_t device_type, int32_t index, CTTensorRef *out);
CTStatus ct_set_random_state(int32_t device_type, int32_t index, CTTensorRef state);
CTStatus ct_set_thread_count(int32_t count);
int32_t ct_thread_count(void);
/// Loads the library of a device backend that was not linked (CUDA). True if devices of that type can be used.
bool ct_device_is_available(int32_t device_type);
int32_t ct_device_count(int32_t device_type);
CTStatus ct_device_synchronize(int32_t device_type, int32_t index);

#ifdef __cplusplus
}
#endif
#endif
