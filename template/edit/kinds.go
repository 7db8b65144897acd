package edit

import "slices"

// A Kind describes one operation, for documentation, forms and tools.
type Kind struct {
	Name    string  `json:"name"`
	Summary string  `json:"summary"`
	Fields  []Field `json:"fields"`
	Exact   bool    `json:"exact,omitempty"` // restores bytes; made as an inverse, not by hand
}

// A Field describes one field of an operation, in the words of JSON Schema.
type Field struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Required    bool     `json:"required,omitempty"`
	Nullable    bool     `json:"nullable,omitempty"`
	Enum        []string `json:"enum,omitempty"`
}

// Kinds are all operations, in the order in which one would explain them.
func Kinds() []Kind { return slices.Clone(kinds) }

func kindOf(name string) (Kind, bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

func need(name, kind, description string) Field {
	return Field{Name: name, Type: kind, Description: description, Required: true}
}

func maybe(name, kind, description string) Field {
	return Field{Name: name, Type: kind, Description: description}
}

func enum(f Field, values ...string) Field {
	f.Enum = values
	return f
}

func orNull(f Field) Field {
	f.Nullable = true
	return f
}

var (
	idField     = need("id", "string", "the layer or page")
	parentField = maybe("parent", "string", "id of the page, stack or group; empty for the body")
	indexField  = maybe("index", "integer", "place among the elements of the parent, from 0; at the end if absent")
	beforeField = maybe("before", "string", "id of the sibling that it goes before")
	afterField  = maybe("after", "string", "id of the sibling that it goes behind")
)

var kinds = []Kind{
	{"set_text", "The text of a layer; {{ expressions }} are allowed. A layer that has elements inside needs html.", []Field{
		idField, maybe("text", "string", "plain text, escaped for you"), maybe("html", "string", "the content as HTML: replaces elements inside as well"),
	}, false},
	{"set_style", "One CSS property of a layer, in all sizes or in one.", []Field{
		idField, need("property", "string", "a property of CSS that layers may have"),
		orNull(need("value", "string", "one CSS value; null takes it away")), maybe("size", "string", "only in this size"), maybe("before", "string", "property that a new one goes before"),
	}, false},
	{"set_attr", "One attribute of a layer, p-name, p-role and p-lock included.", []Field{
		idField, need("name", "string", "the attribute; not id, style or on…"), orNull(need("value", "string", "null takes it away")),
	}, false},
	{"set_binding", "What decides the text, source, an attribute, a property, a class, the presence or the repetition of a layer.", []Field{
		idField, need("target", "string", "text, src, if, else-if, for, attr:NAME, style:PROPERTY or class:NAME"),
		orNull(need("expr", "string", "an expression without {{ }}; for \"for\": item in list; null takes it away")),
	}, false},
	{"set_id", "Another id for a layer, in the CSS of the document as well.", []Field{idField, need("to", "string", "the new id")}, false},
	{"ensure_id", "An id for a node that has none, so that it can be addressed.", []Field{need("path", "string", "the path of the node in the outline"), need("id", "string", "the id")}, false},
	{"add_node", "A new layer in a page, stack or group.", []Field{
		parentField, indexField, beforeField, afterField, maybe("node", "object", "tag, id, class, attrs, style, text, children"),
		maybe("html", "string", "instead of node, the exact bytes of a removed one"), maybe("at", "integer", "with html: bytes behind the element before"),
	}, false},
	{"remove_node", "Takes a layer away.", []Field{idField, maybe("lead", "string", "exact white space before it that goes too"), maybe("trail", "string", "exact white space behind it that goes too"),
		maybe("old", "string", "what it must be, to the byte"),
	}, false},
	{"move_node", "Another parent or place for a layer; later ones are painted over earlier ones.", []Field{idField, parentField, indexField, beforeField, afterField}, false},
	{"duplicate_node", "A copy of a layer, right behind it or in another place.", []Field{
		idField, need("to_id", "string", "id of the copy"), maybe("parent", "string", "id of the page, stack or group; without any place it is right behind"), indexField, beforeField, afterField,
	}, false},
	{"paste", "Layers that were copied, as HTML. Ids that are in use get free ones.", []Field{
		parentField, indexField, beforeField, afterField, need("html", "string", "the layers as they stand in their document"),
		maybe("overrides", "object", "what they have in single sizes: {size: {id: {property: value}}}"),
	}, false},
	{"set_box", "The place, size and turn of a layer, in all sizes or in one.", []Field{
		idField, need("box", "object", "any of left, top, width, height in CSS pixels and rotate in degrees; null takes one away"), maybe("size", "string", "only in this size"),
	}, false},
	{"set_hidden", "Takes a layer out of the page, or brings it back as it was.", []Field{
		idField, need("hidden", "boolean", "false brings it back"), maybe("size", "string", "only in this size"),
	}, false},
	{"group", "Puts layers of one parent into a group.", []Field{need("ids", "array", "the layers"), need("id", "string", "id of the group")}, false},
	{"wrap_stack", "Puts layers of one parent into a stack, in the order in which they stand.", []Field{
		need("ids", "array", "the layers"), need("id", "string", "id of the stack"), enum(need("direction", "string", "how they stand"), "row", "column", "grid"),
		maybe("value", "string", "the gap between them, one CSS value; 16px if absent"),
	}, false},
	{"ungroup", "Puts the layers of a group into its parent and takes the group away.", []Field{idField}, false},
	{"set_token", "A design token, in all themes or in one.", []Field{
		need("name", "string", "the name, without --"), orNull(need("value", "string", "one CSS value; null takes it away")),
		maybe("theme", "string", "only in this theme"), maybe("before", "string", "name of the token that a new one goes before"),
	}, false},
	{"add_theme", "A theme without tokens.", []Field{need("name", "string", "letters, digits, - and _")}, false},
	{"remove_theme", "Takes a theme and its tokens away.", []Field{need("name", "string", "the theme")}, false},
	{"set_var", "A variable of the manifest.", []Field{
		need("name", "string", "the variable"), orNull(need("var", "object", "type, required, maxLength, items, default, example, description; null takes it away")),
		maybe("before", "string", "variable that a new one goes before"),
	}, false},
	{"rename_var", "Another name for a variable, in the expressions of the document as well. The columns of rows stay.", []Field{
		need("name", "string", "the variable"), need("to", "string", "letters, digits and _"),
	}, false},
	{"add_size", "A new size.", []Field{
		need("name", "string", "letters, digits, - and _"), need("w", "integer", "width in CSS pixels"), need("h", "integer", "height in CSS pixels"),
		maybe("label", "string", "for people"), maybe("from", "string", "size whose overrides it begins with"),
	}, false},
	{"set_size", "The width, height or label of a size.", []Field{
		need("name", "string", "the size"), maybe("w", "integer", "width"), maybe("h", "integer", "height"), orNull(maybe("label", "string", "for people")),
	}, false},
	{"remove_size", "Takes a size and its overrides away.", []Field{need("name", "string", "the size")}, false},
	{"set_size_override", "One CSS property of a layer in one size.", []Field{
		need("size", "string", "the size"), idField, need("property", "string", "geometry, type size, visibility or crop"),
		orNull(need("value", "string", "one CSS value; null takes it away")), maybe("before", "string", "property that a new one goes before"),
	}, false},
	{"remove_override", "Makes a layer in one size what it is in all.", []Field{idField, need("size", "string", "the size")}, false},
	{"add_page", "An empty page.", []Field{need("id", "string", "its id"), maybe("after", "string", "the page that it goes behind; the last if absent")}, false},
	{"remove_page", "Takes a page and its layers away.", []Field{idField}, false},
	{"duplicate_page", "A copy of a page with its layers right behind it.", []Field{idField, need("to_id", "string", "id of the copy")}, false},
	{"move_page", "Another place for a page.", []Field{idField, need("index", "integer", "among the pages, from 0")}, false},
	{"set_tag", "The exact bytes of a start tag.", []Field{need("id", "string", "id or path of the element"), need("tag", "string", "one start tag of the same element")}, true},
	{"patch_text", "One passage of the manifest or of a style sheet, which must stand there exactly once.", []Field{
		need("id", "string", "id or path of the style or script"), maybe("old", "string", "what stands there; empty only if nothing does"), maybe("new", "string", "what is to stand there"),
	}, true},
	{"patch_source", "One passage of the document, which must stand there exactly once.", []Field{
		maybe("old", "string", "what stands there; empty only if nothing does"), maybe("new", "string", "what is to stand there"),
	}, true},
}
