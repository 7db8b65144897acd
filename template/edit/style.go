package edit

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// properties are what a layer's style may have. Places are left, top and so on;
// layers are painted in the order of the document, so there is no z-index.
var properties = fields(`left top right bottom width height inset transform transform-origin rotate scale translate
	min-width max-width min-height max-height aspect-ratio margin margin-top margin-right margin-bottom margin-left
	padding padding-top padding-right padding-bottom padding-left box-sizing
	display flex flex-direction flex-wrap flex-flow flex-grow flex-shrink flex-basis order gap row-gap column-gap
	align-items align-content align-self justify-content justify-items justify-self place-items place-content place-self
	grid-template-columns grid-template-rows grid-template-areas grid-auto-flow grid-auto-rows grid-auto-columns grid-column grid-row grid-area
	font font-family font-size font-weight font-style font-stretch font-variant font-variant-numeric font-variant-caps font-feature-settings
	font-variation-settings font-kerning line-height letter-spacing word-spacing text-align text-align-last text-indent text-transform
	text-decoration text-decoration-color text-decoration-line text-decoration-style text-decoration-thickness text-underline-offset
	text-shadow text-overflow text-wrap white-space word-break overflow-wrap hyphens direction unicode-bidi writing-mode vertical-align
	tab-size -webkit-line-clamp -webkit-box-orient -webkit-text-stroke -webkit-text-stroke-color -webkit-text-stroke-width
	-webkit-text-fill-color -webkit-background-clip
	color opacity background background-color background-image background-size background-position background-repeat background-clip
	background-origin background-blend-mode fill fill-opacity stroke stroke-width stroke-opacity stroke-dasharray stroke-linecap stroke-linejoin
	border border-top border-right border-bottom border-left border-width border-style border-color border-radius
	border-top-width border-right-width border-bottom-width border-left-width border-top-color border-right-color border-bottom-color
	border-left-color border-top-style border-right-style border-bottom-style border-left-style
	border-top-left-radius border-top-right-radius border-bottom-left-radius border-bottom-right-radius
	outline outline-color outline-offset outline-style outline-width box-shadow filter backdrop-filter mix-blend-mode isolation
	clip-path mask mask-image mask-size mask-position mask-repeat object-fit object-position image-rendering overflow overflow-x overflow-y
	visibility list-style list-style-type list-style-position columns column-count column-width border-collapse border-spacing table-layout`)

// overridable are those that one size may have otherwise than the others.
var overridable = fields(`left top right bottom width height inset transform transform-origin rotate scale translate
	min-width max-width min-height max-height aspect-ratio padding padding-top padding-right padding-bottom padding-left
	margin margin-top margin-right margin-bottom margin-left
	display visibility flex-direction flex-wrap flex-grow flex-shrink flex-basis order gap row-gap column-gap align-items align-self
	align-content justify-content justify-items justify-self grid-template-columns grid-template-rows grid-column grid-row
	font font-size line-height letter-spacing text-align text-indent white-space -webkit-line-clamp border-radius border-width
	object-fit object-position clip-path background-size background-position overflow columns column-count`)

func fields(list string) []string { return strings.Fields(list) }

func (e *editor) setStyle(op Op) ([]way, *problem.Error) {
	if op.Size != "" {
		return e.setSizeOverride(op)
	}
	n, p := e.layer(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if p := checkDecl(op, properties); p != nil {
		return nil, p
	}
	e.touch(op.ID)
	tag := n.Raw
	style := n.Style()
	old, had := style.Get(op.Property)
	undo := Op{Op: "set_style", ID: op.ID, Property: op.Property, Before: style.After(op.Property)}
	if had {
		undo.Value = &old
	}
	change(style, op.Property, op.Value, op.Before)
	others := attrsBut(n, "style")
	n.SetStyle(style)
	if got, _ := n.Get("style"); got != style.String() && op.Value != nil || !equal(others, attrsBut(n, "style")) {
		return nil, problem.New(problem.Invalid, "the value would change the tag around it").At("value").WithHint("close every {{ with }}")
	}
	if n.Raw == tag {
		return nil, nil
	}
	return []way{{undo.bare()}, {undo}, tagWay(e, n, tag)}, nil
}

// bare is the operation without the place of a new declaration, which most
// need not say.
func (o Op) bare() Op {
	o.Before = ""
	return o
}

func change(style *markup.Style, property string, value *string, before string) {
	if value == nil {
		style.Remove(property)
	} else {
		style.Set(property, strings.TrimSpace(*value), before)
	}
}

// checkDecl refuses properties outside the list, and what is not one value.
func checkDecl(op Op, allowed []string) *problem.Error {
	if !contains(allowed, op.Property) && !strings.HasPrefix(op.Property, "--") {
		p := problem.New(problem.Unsupported, "the property %q is not for layers", op.Property).At("property")
		if contains(properties, op.Property) {
			p = problem.New(problem.Unsupported, "the property %q cannot differ between sizes", op.Property).At("property").
				WithHint("sizes change geometry, type size, visibility and crop; set it for all sizes")
			return p
		}
		if near := nearest(op.Property, allowed); near != "" {
			p.WithHint("did you mean %q?", near)
		}
		return p
	}
	if strings.HasPrefix(op.Property, "--") && !tokenName.MatchString(op.Property[2:]) {
		return problem.New(problem.Invalid, "%q cannot be the name of a CSS variable", op.Property).At("property")
	}
	return checkValue(op.Value)
}

func checkValue(value *string) *problem.Error {
	if value == nil || markup.OneValue(*value) {
		return nil
	}
	return problem.New(problem.Invalid, "%q is not one CSS value", *value).At("value").
		WithHint("quotes and parentheses must pair up, and ; { } < \\ and comments have no place in it")
}
