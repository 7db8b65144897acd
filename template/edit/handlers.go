package edit

// handlers is what each operation does. Operations are made of others, so a
// variable would depend on itself.
func handlers() map[string]handler {
	return map[string]handler{
		"set_text":          (*editor).setText,
		"set_style":         (*editor).setStyle,
		"set_attr":          (*editor).setAttr,
		"set_binding":       (*editor).setBinding,
		"set_id":            (*editor).setID,
		"ensure_id":         (*editor).ensureID,
		"add_node":          (*editor).addNode,
		"remove_node":       (*editor).removeNode,
		"move_node":         (*editor).moveNode,
		"duplicate_node":    (*editor).duplicateNode,
		"group":             (*editor).group,
		"ungroup":           (*editor).ungroup,
		"set_token":         (*editor).setToken,
		"add_theme":         (*editor).addTheme,
		"remove_theme":      (*editor).removeTheme,
		"set_var":           (*editor).setVar,
		"rename_var":        (*editor).renameVar,
		"add_size":          (*editor).addSize,
		"set_size":          (*editor).setSize,
		"remove_size":       (*editor).removeSize,
		"set_size_override": (*editor).setSizeOverride,
		"add_page":          (*editor).addPage,
		"remove_page":       (*editor).removePage,
		"move_page":         (*editor).movePage,
		"set_tag":           (*editor).setTag,
		"patch_text":        (*editor).patchText,
		"set_box":           (*editor).setBox,
		"set_hidden":        (*editor).setHidden,
		"remove_override":   (*editor).removeOverride,
		"wrap_stack":        (*editor).wrapStack,
		"paste":             (*editor).paste,
		"duplicate_page":    (*editor).duplicatePage,
		"patch_source":      (*editor).patchSource,
	}
}
