import{Q as a}from"./index-AWhZ-2bc.js";import{t as r}from"./editor-CHnxzMpw.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
