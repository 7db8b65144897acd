import{p as r,q as g,z as h,L as y,u as i,M as c,c as d}from"./index-BXfSrg_-.js";import{u as f}from"./load-BBFxpfwX.js";const b=(e,t,a={})=>r`/templates/${e}/versions/${t}/picture`+g({size:a.size,theme:a.theme}),$=e=>r`/studio/templates/${e}/edit`,w=e=>`<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<title>${e}</title>
<script type="application/json" id="p-template">
{
  "name": ${JSON.stringify(e)},
  "sizes": { "default": { "w": 1200, "h": 630 } },
  "vars": {}
}
<\/script>
<style>
  #page { background: #ffffff; }
</style>
</head>
<body>
<section id="page" class="p-page" p-name="Page"></section>
</body>
</html>
`;async function q(e,t){await h("/templates",{method:"POST",body:t?{name:e,from:t}:{name:e,html:w(e)}})}async function L(e,t){const a=await(await y(r`/templates/${e}/archive.zip`)).blob();await h(r`/templates/${t}`,{method:"PUT",headers:{"If-None-Match":"*"},body:a,type:"application/zip"})}function O(e,t){const a=new Set(t.map(s=>s.uid));if(!a.has(e))return e;for(let s=2;;s++)if(!a.has(`${e}-${s}`))return`${e}-${s}`}function M(e,t){const a=f(r`/templates/${e}`,[t]);return{...a,data:a.data?.template,set:()=>{}}}const v=(e,t)=>f(r`/templates/${e}/draft`,[t]);function N({name:e,version:t}){const{data:a,error:s}=v(e,t);if(s!==void 0)return i(c,{level:"warn",children:"not checked"});if(!a)return i(c,{level:"quiet",children:"checking"});const{problems:n,open:u}=a.draft,o=n.filter(l=>l.fatal).length,m=o>0?d(o,"fault"):n.length>0?d(n.length,"hint"):"good",p=i(c,{level:o>0?"error":n.length>0?"warn":"ok",children:m});return i("span",{class:"row small",children:[u&&i("span",{class:"chip",children:"draft"}),n.length>0?i("a",{href:$(e),title:n.slice(0,3).map(l=>l.message).join(`
`),children:p}):p]})}export{N as L,v as a,q as c,L as d,$ as e,O as f,b as p,M as u};
