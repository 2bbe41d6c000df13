/* The lists of ops, losses and optimizers.  A new op is a file src/ops/NAME.c that defines its row sn_op_NAME, and one
 * line here; a loss likewise with sn_loss_NAME, an optimizer with sn_optimizer_NAME. */
#ifndef SN_OPS_LIST_H
#define SN_OPS_LIST_H

#define SN_ACTIVATIONS(X)                                                                                              \
    X(identity)                                                                                                        \
    X(relu)                                                                                                            \
    X(leaky_relu)                                                                                                      \
    X(elu)                                                                                                             \
    X(selu)                                                                                                            \
    X(tanh)                                                                                                            \
    X(sigmoid)                                                                                                         \
    X(erf)                                                                                                             \
    X(gelu)                                                                                                            \
    X(silu)                                                                                                            \
    X(softplus)

#define SN_OPS(X)                                                                                                      \
    X(linear)                                                                                                          \
    X(conv2d)                                                                                                          \
    X(conv_transpose2d)                                                                                                \
    SN_ACTIVATIONS(X)                                                                                                  \
    X(add)                                                                                                             \
    X(concat)                                                                                                          \
    X(scale)                                                                                                           \
    X(gate)                                                                                                            \
    X(dropout)                                                                                                         \
    X(drop_path)                                                                                                       \
    X(layer_norm)                                                                                                      \
    X(rms_norm)                                                                                                        \
    X(group_norm)                                                                                                      \
    X(batch_norm)                                                                                                      \
    X(max_pool)                                                                                                        \
    X(avg_pool)                                                                                                        \
    X(global_avg_pool)                                                                                                 \
    X(subsample)                                                                                                       \
    X(upsample)                                                                                                        \
    X(flatten)

#define SN_LOSSES(X)                                                                                                   \
    X(softmax_cross_entropy)                                                                                           \
    X(mean_squared_error)                                                                                              \
    X(hinge)                                                                                                           \
    X(binary_cross_entropy)

#define SN_OPTIMIZERS(X)                                                                                               \
    X(sgd)                                                                                                             \
    X(adam)                                                                                                            \
    X(adamw)                                                                                                           \
    X(rmsprop)                                                                                                         \
    X(lion)

#endif
