package element_test

import (
	"fmt"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template/element"
)

func Example() {
	rating, err := element.New("rating", map[string]string{"of": "3", "round": "half"})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := rating.Data("2.4", nil, expr.Env{})
	fmt.Println(data, err)
	fmt.Println(rating.Markup(data)[:52])
	// Output:
	// {"stars":2.5,"of":3,"align":"left"} <nil>
	// <svg class="p-rating-stars" viewBox="0 0 78 24" widt
}

func ExampleNew_mistake() {
	_, err := element.New("barcode", map[string]string{"symbology": "ean14"})
	fmt.Println(err)
	// Output: p-symbology: p-symbology is "ean14", not code128, ean13 or ean8 (did you mean "ean13"?)
}

func ExampleElement_Data_mistake() {
	barcode, _ := element.New("barcode", map[string]string{"symbology": "ean13"})
	_, err := barcode.Data("4006381333932", nil, expr.Env{})
	fmt.Println(err)
	// Output: 4006381333932 is not an EAN-13: its check digit should be 1
}
