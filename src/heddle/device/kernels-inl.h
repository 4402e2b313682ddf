// The kernels of every device: one row each, in the order of their ids. From the rows come KernelId, kernel_name() and
// ArgsOf; each backend's table says which types and functions it has for them.
//
// HEDDLE_KERNEL(Id, name, the struct of its arguments)
//
// No include guard: include it with HEDDLE_KERNEL defined; the macro ends with this file. The elementwise functions are
// rows of maps-inl.h, which become rows of this list here.
HEDDLE_KERNEL(Randn, randn, RandomArgs)                 // standard normals
HEDDLE_KERNEL(Uniform, uniform, RandomArgs)             // uniforms in [0, 1)
HEDDLE_KERNEL(Advance, advance, AdvanceArgs)            // recorded at the end of a list that drew numbers
HEDDLE_KERNEL(Fill, fill, FillArgs)
HEDDLE_KERNEL(Upload, upload, UploadArgs)               // from host memory that the list has staged
HEDDLE_KERNEL(CopyBytes, copy_bytes, CopyBytesArgs)     // to the host, or within the device
HEDDLE_KERNEL(Copy, copy, ElementwiseArgs)              // one input (strided copy)
HEDDLE_KERNEL(Cast, cast, ElementwiseArgs)              // one input of the type CommandHeader::source
#define HEDDLE_MAP(Id, name, inputs, ...) HEDDLE_KERNEL(Id, name, ElementwiseArgs)
#include "heddle/device/maps-inl.h"
HEDDLE_KERNEL(Matmul, matmul, MatmulArgs)               // with a bias it is linear
HEDDLE_KERNEL(Sum, sum, ReduceArgs)
HEDDLE_KERNEL(Mean, mean, ReduceArgs)
HEDDLE_KERNEL(Stack, stack, StackArgs)
HEDDLE_KERNEL(Timestamp, timestamp, TimestampArgs)      // the device's clock when the stream comes past
HEDDLE_KERNEL(Custom, custom, CustomArgs)               // a function of the user's

#undef HEDDLE_KERNEL
