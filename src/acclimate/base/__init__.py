"""Base models f_theta: linear, SVM and neural; and the two baselines."""
