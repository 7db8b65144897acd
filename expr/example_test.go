package expr_test

import (
	"fmt"

	"github.com/pictifyd/pictifyd/expr"
)

func Example() {
	program, err := expr.Compile(`price * 0.9 | currency`, expr.Options{Names: []string{"price", "title"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := program.Eval(map[string]any{"price": "49"}, expr.Env{})
	fmt.Println(expr.Text(value), err, program.Names())
	// Output: $44.10 <nil> [price]
}

func ExampleCompile_mistake() {
	_, err := expr.Compile(`prcie * 0.9 | currency`, expr.Options{Names: []string{"price", "title"}})
	fmt.Println(err)
	// Output: 1:1: unknown variable "prcie" (did you mean "price"?)
}
