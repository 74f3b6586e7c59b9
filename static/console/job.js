// While a job runs its counts are fetched anew every five seconds; when it is done the page is loaded again.
// Without scripts the link beside the counts does the same.
(function () {
  "use strict";
  var count = document.getElementById("job-count");
  if (!count || !window.fetch || !window.DOMParser) { return; }
  window.setInterval(function () {
    fetch(location.href, { credentials: "same-origin" }).then(function (reply) {
      return reply.text();
    }).then(function (text) {
      var now = new DOMParser().parseFromString(text, "text/html").getElementById("job-count");
      if (!now) { location.reload(); return; }
      if (now.textContent !== count.textContent) { count.replaceChildren.apply(count, now.childNodes); }
    }).catch(function () { return null; });
  }, 5000);
})();
