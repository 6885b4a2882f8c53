"""REST routes of billing, mounted at /api/v1/billing/."""

from rest_framework.routers import SimpleRouter

from .contracts import ContractViewSet
from .views import InvoiceViewSet

router = SimpleRouter(trailing_slash=False)
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("contracts", ContractViewSet, basename="contract")
urlpatterns = router.urls
