package template_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/template"
)

func Example() {
	src := `<body><h1 style="color: {{ color }}">{{ title }}</h1><p>{{ price * 0.9 | currency }}</p></body>`
	card, err := template.Parse("card", []byte(src), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := card.Resolve(map[string]any{"title": "Mugs & <more>", "price": "49", "color": "red; }"}, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := card.Page(template.View{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, body, _ := strings.Cut(page.Fill(values).HTML, "</style>")
	fmt.Println(page.Width, page.Height, card.Uses())
	fmt.Println(body)
	// Output:
	// 1200 630 [color price title]
	// <body><h1 style="color: red\3b  \7d ">Mugs &amp; &lt;more&gt;</h1><p>$44.10</p></body>
}

func ExampleParse_mistake() {
	_, err := template.Parse("card", []byte(`<script type="application/json" id="p-template">{"vars": {"title": {}}}</script>
<h1 p-if="title">{{ titel }}</h1>`), nil)
	fmt.Println(err)
	// Output:
	// card.html:2:21: unknown variable "titel" (did you mean "title"?)
}
