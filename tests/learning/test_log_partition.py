import torch

from avloc.learning.log_partition import log_partitions


def test_values_and_gradients_are_those_of_the_whole_matrix() -> None:
    torch.manual_seed(0)
    for m in (1, 2, 255, 256, 600):
        x, y = (torch.randn(m, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
        weights = torch.randn(2, m, dtype=torch.float64)
        rows, columns = log_partitions(x, y)
        whole = x @ y.T
        torch.testing.assert_close(rows, whole.logsumexp(1), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(columns, whole.logsumexp(0), rtol=1e-12, atol=1e-12)
        found = torch.autograd.grad((weights[0] * rows + weights[1] * columns).sum(), (x, y))
        sums = weights[0] * whole.logsumexp(1) + weights[1] * whole.logsumexp(0)
        wanted = torch.autograd.grad(sums.sum(), (x, y))
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


def test_the_coldest_temperature_neither_overflows_nor_vanishes() -> None:
    torch.manual_seed(0)
    x, y = (torch.nn.functional.normalize(torch.randn(300, 8), dim=-1) for _ in range(2))
    x = (x / 0.001).requires_grad_()  # similarities from -1000 to 1000
    rows, columns = log_partitions(x, y)
    torch.testing.assert_close(rows, (x @ y.T).logsumexp(1))
    torch.testing.assert_close(columns, (x @ y.T).logsumexp(0))
    (rows.sum() + columns.sum()).backward()
    assert x.grad is not None and torch.isfinite(x.grad).all()


def test_half_precision_around_it_does_not_reach_it() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(50, 8), torch.randn(50, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rows, _ = log_partitions(x, y)
    torch.testing.assert_close(rows, (x @ y.T).logsumexp(1))
