import{O as a}from"./index-DvBs6MOm.js";import{t as r}from"./editor-CzBKOV3W.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
