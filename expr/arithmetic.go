package expr

import (
	"math"
	"math/big"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// numeric makes sure that args[i] is a number; its name stands in the second
// half of args.
func numeric(args []any, i int) error {
	if _, ok := Number(args[i]); ok {
		return nil
	}
	name, _ := args[len(args)/2+i].(string)
	p := fail("%s is %s, not a number", named(name, "the value"), quote(args[i]))
	switch {
	case args[i] == nil && name == "":
		p = fail("a value is missing where a number is needed")
	case args[i] == nil:
		p = fail("%s is missing, a number is needed", name)
	case name == "":
		p = fail("%s is not a number", quote(args[i]))
	}
	if args[i] == nil {
		p.WithHint("write (%s ?? 0) where it may be missing", named(name, "…"))
	}
	return &misfit{p.Expecting("a number"), i}
}

// A misfit is a problem with one operand, which is the place to point at.
type misfit struct {
	what    *problem.Error
	operand int
}

func (m *misfit) Error() string { return m.what.Error() }
func (m *misfit) Unwrap() error { return m.what }

func numerics(args []any) error {
	if err := numeric(args, 0); err != nil {
		return err
	}
	return numeric(args, 1)
}

func operands(args []any) (a, b float64, err error) {
	if err := numerics(args); err != nil {
		return 0, 0, err
	}
	a, _ = Number(args[0])
	b, _ = Number(args[1])
	return a, b, nil
}

func whole(f float64) bool { return f == math.Trunc(f) && math.Abs(f) < exactInt }

// finite refuses results that no person could read.
func finite(f float64) (any, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fail("the result is too large")
	}
	return f, nil
}

// arithmetic computes in decimal, as people do: 129.5 * 0.9 is 116.55 and
// 0.1 + 0.2 is 0.3. Short numbers need no detour over fractions.
func arithmetic(short func(a, b dec) (dec, bool), long func(z, a, b *big.Rat) *big.Rat) operation {
	return func(r *run, args []any) (any, error) {
		a, okA := small(args[0])
		b, okB := small(args[1])
		if okA && okB {
			if d, ok := short(a, b); ok {
				return d.value(), nil
			}
		}
		if err := numerics(args); err != nil {
			return nil, err
		}
		return exactly(r, args, long)
	}
}

// longCost is the work of one step with numbers too long for the short way.
const longCost = 16

// exactly computes with fractions of any length.
func exactly(r *run, args []any, f func(z, a, b *big.Rat) *big.Rat) (any, error) {
	if err := r.spend(longCost); err != nil {
		return nil, err
	}
	x, exactX := rational(args[0])
	y, exactY := rational(args[1])
	return rationalValue(f(new(big.Rat), x, y), exactX && exactY)
}

var addNumbers = arithmetic(addDec, (*big.Rat).Add)

// add adds when one side is a number and the other is one or looks like one;
// else, with text on either side, it joins.
func add(r *run, args []any) (any, error) {
	left, leftText := args[0].(string)
	right, rightText := args[1].(string)
	switch {
	case leftText && rightText:
		return left + right, nil
	case leftText && !looksLikeNumber(left), rightText && !looksLikeNumber(right),
		leftText && !isNumber(args[1]), rightText && !isNumber(args[0]):
		return Text(args[0]) + Text(args[1]), nil
	}
	return addNumbers(r, args)
}

func looksLikeNumber(s string) bool { return isNumberText(strings.TrimSpace(s)) }

func divide(r *run, args []any) (any, error) {
	_, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if b == 0 {
		return nil, byZero(args)
	}
	return exactly(r, args, (*big.Rat).Quo)
}

func byZero(args []any) error {
	p := fail("division by zero")
	if name, _ := args[3].(string); name != "" {
		p.WithHint("%s is 0; write %s == 0 ? … : … to choose what to show then", name, name)
	}
	return &misfit{p, 1}
}

func modulo(r *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if b == 0 {
		return nil, byZero(args)
	}
	if whole(a) && whole(b) {
		return math.Mod(a, b), nil
	}
	return exactly(r, args, func(z, x, y *big.Rat) *big.Rat {
		z.Quo(x, y)
		n := new(big.Int).Quo(z.Num(), z.Denom())
		return z.Sub(x, new(big.Rat).Mul(y, new(big.Rat).SetInt(n)))
	})
}

// maxPower is the largest whole exponent that is computed in decimal.
const maxPower = 64

func power(r *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if _, short := small(args[0]); short && whole(b) && b >= 0 && b <= maxPower {
		return exactly(r, args, func(z, x, _ *big.Rat) *big.Rat {
			n := big.NewInt(int64(b))
			return z.SetFrac(new(big.Int).Exp(x.Num(), n, nil), new(big.Int).Exp(x.Denom(), n, nil))
		})
	}
	return finite(math.Pow(a, b))
}

func negate(r *run, args []any) (any, error) {
	if err := numeric(args, 0); err != nil {
		return nil, err
	}
	return addSigned(r, args[0], (*big.Rat).Sub)
}

func positive(r *run, args []any) (any, error) {
	if err := numeric(args, 0); err != nil {
		return nil, err
	}
	return addSigned(r, args[0], (*big.Rat).Add)
}

func addSigned(r *run, v any, f func(z, a, b *big.Rat) *big.Rat) (any, error) {
	return exactly(r, []any{0, v}, f)
}
