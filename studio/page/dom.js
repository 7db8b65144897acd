// The little that is needed to keep a page in step with a state: what has not
// changed is not touched, so that focus, selection and images stay.

export const byId = (id) => document.getElementById(id);

// make is a new element: make('p', {class: 'quiet'}, 'text', child, …).
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// say sets a text, if it is another.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// mark sets or, for null, removes an attribute, if it is another.
export function mark(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// show hides or shows.
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

// sync makes the children of a list those of items, in their order: an element
// is made once per key, moved when its place changed, and updated each time.
export function sync(list, items, key, build, update) {
  const known = list.kept ??= new Map();
  const wanted = new Set(items.map(key));
  for (const [id, element] of known) {
    if (!wanted.has(id)) {
      element.remove();
      known.delete(id);
    }
  }
  let place = list.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let element = known.get(id);
    if (!element) {
      element = build(item);
      known.set(id, element);
    }
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
    update(element, item);
  }
}
