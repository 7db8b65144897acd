import{K as a}from"./index-CVZf_WlA.js";import{t as r}from"./editor-DD2gk4PL.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
