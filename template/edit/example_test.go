package edit_test

import (
	"fmt"

	"github.com/pictifyd/pictifyd/template/edit"
)

func Example() {
	src := []byte(`<section id="card" class="p-page">
  <h1 id="title" style="left: 64px; top: 72px">Hello</h1>
</section>
`)
	ops, err := edit.Decode([]byte(`[
		{"op": "set_style", "id": "title", "property": "left", "value": "80px"},
		{"op": "set_binding", "id": "title", "target": "text", "expr": "name"}
	]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := edit.Apply(src, ops)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(done.Source))
	fmt.Println("touched:", done.Touched)

	undone, err := edit.Apply(done.Source, done.Inverse)
	fmt.Println("as before:", err == nil && string(undone.Source) == string(src))
	// Output:
	// <section id="card" class="p-page">
	//   <h1 id="title" style="left: 80px; top: 72px">{{ name }}</h1>
	// </section>
	// touched: [title]
	// as before: true
}
