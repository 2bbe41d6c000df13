/* What a file of an op or a loss begins with.  It is compiled once to describe its row (SN_DESCRIBES is 1: what a user
 * may write, and all that does not depend on precision), and once per precision and instruction set for its kernels
 * (SN_DESCRIBES is 0, and there are the names and types of kernels/variant.h):
 *
 *     #if SN_DESCRIBES
 *     const sn_op sn_op_NAME = {...};
 *     #else
 *     const sn_op_kernels SN_V(sn_kernels_NAME) = {...};
 *     #endif
 */
#ifndef SN_OPS_ROW_H
#define SN_OPS_ROW_H

#include "network/op.h"
#include "ops/loss.h"

#ifdef SN_SUFFIX
#define SN_DESCRIBES 0
#include "kernels/lanes.h"

/* The push of an op of one input whose Jacobian is symmetric, so that its backward is its push. */
static inline void sn_push_symmetric(const sn_push_call *call, void (*backward)(const sn_op_call *call)) {
    static const sn_flow write = SN_FLOW_WRITE;
    sn_op_call own = *call->at;
    own.dy = call->tx[0];
    own.dx = &call->ty;
    own.flow = &write;
    backward(&own);
}

/* The push of an op of one input that is linear, so that its forward is its push. */
static inline void sn_push_linear(const sn_push_call *call, void (*forward)(const sn_op_call *call)) {
    sn_op_call own = *call->at;
    own.x = call->tx;
    own.y = call->ty;
    forward(&own);
}
#else
#define SN_DESCRIBES 1
#endif

#endif
